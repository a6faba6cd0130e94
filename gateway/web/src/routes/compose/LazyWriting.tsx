import { lazy, Suspense } from 'react';
import { Row } from './Row';
import type { WritingProps } from './Writing';

/** Fetches the editor: as soon as it is likely to be wanted. A repeat fetches nothing. */
export const fetchWriting = () => import('./Writing');

const Writing = lazy(fetchWriting);

/** Subject and message; while the editor comes, rows of the same size. */
export function LazyWriting(props: WritingProps) {
  return (
    <Suspense fallback={<Shape />}>
      <Writing {...props} />
    </Suspense>
  );
}

function Shape() {
  return (
    <div aria-hidden="true">
      <Row label="Subject">
        <Line className="h-[22px] w-3/5" />
      </Row>
      <Row label="Message" top>
        <Line className="mb-2 h-7 w-2/3 phone:h-10" />
        <div className="grid min-h-[220px] content-start gap-3 pt-1">
          <Line className="h-2.5 w-[88%] max-w-[540px]" />
          <Line className="h-2.5 w-3/4 max-w-[470px]" />
          <Line className="h-2.5 w-2/5 max-w-[250px]" />
        </div>
      </Row>
    </div>
  );
}

function Line({ className }: { className: string }) {
  return <i className={`late block rounded-[4px] ${className}`}><i className="breathe block size-full rounded-[4px] bg-track" /></i>;
}
