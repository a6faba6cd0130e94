import { Suspense, useRef, useState } from 'react';
import { TriangleAlert, Upload } from 'lucide-react';
import { classes } from '../../components/classes';
import { Hint } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { lazily } from '../../components/lazily';
import { Note } from '../../components/Note';
import type { Plan } from '../../compose/plan';
import type { Recipients, RecipientsState } from '../../compose/recipients';
import { isWaiting } from '../../compose/recipients';
import type { Thing } from '../../compose/settle';
import { counted } from '../../words/number';
import { Addresses } from './Addresses';
import { FileButton } from './FileButton';
import { Row } from './Row';
import { textAt } from './textAt';
import { WorkBar } from './WorkBar';

// A draft begins without a list.
const FileCard = lazily(async () => (await import('./FileCard')).FileCard);
const Mapping = lazily(async () => (await import('./Mapping')).Mapping);

interface ToProps {
  recipients: Recipients;
  list: RecipientsState;
  plan: Plan;
  missing: ReadonlyMap<string, number>;
  things: readonly Thing[];
  hasMailbox: boolean;
  onEdit: (patch: Partial<Plan>) => void;
}

/** Recipients: files dropped or picked, addresses typed or pasted; and what came of them. */
export function To({ recipients, list, plan, missing, things, hasMailbox, onEdit }: ToProps) {
  const [isOver, setOver] = useState(false);
  const depth = useRef(0);
  const { sources, work, problem, total } = list;
  const files = sources.flatMap((source) => (source.kind === 'file' ? [source] : []));
  const known = sources.reduce((sum, source) => sum + (source.result?.accepted ?? 0), 0);
  const error = work ? undefined : textAt(things, 'to');
  const drag = (by: number) => {
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return (
    <Row label="To" top>
      <div
        id="to"
        tabIndex={-1}
        onDragEnter={(event) => event.dataTransfer.types.includes('Files') && drag(1)}
        onDragLeave={() => drag(-1)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          depth.current = 0;
          setOver(false);
          for (const file of event.dataTransfer.files) recipients.addFile(file);
        }}
        className={classes('grid gap-3 rounded-3', isOver && 'shadow-focus')}
      >
        <Suspense>
          {files.map((source) => (
            <FileCard key={source.id} source={source} recipients={recipients} isBusy={work !== undefined} />
          ))}
        </Suspense>
        {total > known && sources.length === 0 && (
          <p className="rounded-3 border border-line px-4 py-3">
            <b>{counted(total, 'recipient')}</b> <span className="text-ink-3">that were added before. What is added now comes on top.</span>
          </p>
        )}
        {files.length === 0 && !work && <Drop onFile={(file) => recipients.addFile(file)} error={error} />}
        {work && <WorkBar work={work} />}
        {!work && isWaiting(list) && !hasMailbox && (
          <p className="text-ink-2">They are sent on as soon as there is a mailbox: recipients are shared out between mailboxes.</p>
        )}
        {problem && (
          <Note tone="fail" icon={TriangleAlert}>
            <b>{problem.title}</b> {problem.text}{' '}
            {problem.again && (
              <button type="button" className="link" onClick={problem.again}>
                Try again
              </button>
            )}
          </Note>
        )}
        <Addresses sources={sources} recipients={recipients} hasFiles={files.length > 0 || total > known} describedBy={error ? 'to-about' : undefined} />
        <Hint id="to-about" error={error} />
        <div id="map">
          <Suspense>
            {files.map((source) => (
              <Mapping key={source.id} source={source} plan={plan} missing={missing} recipients={recipients} isBusy={work !== undefined} onEdit={onEdit} />
            ))}
          </Suspense>
        </div>
      </div>
    </Row>
  );
}

function Drop({ onFile, error }: { onFile: (file: File) => void; error: string | undefined }) {
  return (
    <div className={classes('flex flex-wrap items-center gap-x-3 gap-y-2 rounded-3 border border-dashed px-4 py-4', error ? 'border-fail' : 'border-line-3')}>
      <Icon of={Upload} className="text-ink-3" />
      <p className="min-w-0 flex-1 basis-52">
        <b>Drop a CSV or TXT file here.</b> <span className="text-ink-3">One row a recipient; its columns become variables.</span>
      </p>
      <FileButton onFile={onFile} aria-describedby={error ? 'to-about' : undefined}>
        Choose a file
      </FileButton>
    </div>
  );
}
