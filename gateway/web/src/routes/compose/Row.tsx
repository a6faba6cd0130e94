import type { ReactNode } from 'react';
import { classes } from '../../components/classes';

/** A line of the document: what it is about at the left, above it on phones. */
export function Row({ label, of, top = false, last = false, children }: { label: string; of?: string; top?: boolean; last?: boolean; children: ReactNode }) {
  const Name = of ? 'label' : 'span';
  return (
    <div role={of ? undefined : 'group'} aria-label={of ? undefined : label} className={classes('grid grid-cols-[72px_minmax(0,1fr)] gap-x-2 py-3 phone:block', top ? 'items-start' : 'items-center', !last && 'border-b border-line')}>
      <Name {...(of ? { htmlFor: of } : { 'aria-hidden': true })} className={classes('text-ink-2 phone:mb-1.5 phone:block phone:text-12', top && 'pt-1.5 phone:pt-0')}>
        {label}
      </Name>
      <div className="min-w-0">{children}</div>
    </div>
  );
}
