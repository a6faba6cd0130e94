import { Upload } from 'lucide-react';
import { useId, useState } from 'react';
import { request } from '../../api/client';
import { because, useAct } from '../../api/useAct';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Label } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Note } from '../../components/Note';
import { toast } from '../../components/Toasts';
import { counted } from '../../words/number';

interface Imported {
  added: number;
  duplicates: number;
  rejected: { line: number; value: string; reason: string }[];
  rejectedCount: number;
}

/** So many rows that were left out are shown; the rest is a number. */
const SHOWN = 5;

/** Adds addresses, typed, pasted or from a file. */
export function AddDialog({ onClose }: { onClose: () => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const act = useAct({
    changes: ['suppressions'],
    run: (body: Blob | string) => request('POST', '/v1/suppressions:import', { body, headers: { 'content-type': 'text/csv' } }) as Promise<Imported>,
    onDone: ({ added, rejectedCount }) => {
      toast({ text: `${counted(added, 'address', 'addresses')} added` });
      if (rejectedCount === 0) onClose();
    },
  });
  const rows = text.split(/[\s,;]+/).filter(Boolean);
  return (
    <Dialog
      title="Add addresses"
      onClose={onClose}
      dirty={text !== ''}
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            Close
          </Button>
          <Button kind="primary" busy={act.isPending} disabled={rows.length === 0} onClick={() => act.mutate(`email\n${rows.join('\n')}\n`)}>
            {rows.length > 0 ? `Add ${counted(rows.length, 'address', 'addresses')}` : 'Add'}
          </Button>
        </>
      }
    >
      <div className="grid gap-3.5 px-[22px] pt-3 pb-4.5">
        <div>
          <Label of={id}>One address a row</Label>
          <textarea id={id} rows={6} value={text} onChange={(event) => setText(event.target.value)} className="block w-full rounded-2 border border-line-2 bg-paper px-2.5 py-2 text-14 outline-none focus:border-mail focus:ring-3 focus:ring-mail-100 phone:text-16" />
        </div>
        <label className="inline-flex h-control w-fit cursor-pointer items-center gap-1.75 rounded-2 border border-line-2 px-3 font-medium shadow-1 hover:bg-hover has-focus-visible:shadow-focus">
          <Icon of={Upload} className="text-ink-2" />
          Choose a CSV or TXT
          <input type="file" accept=".csv,.txt,text/csv,text/plain" className="sr-only" onChange={(event) => event.target.files?.[0] && act.mutate(event.target.files[0])} />
        </label>
        {act.error && (
          <Note tone="fail">
            <b>Not added.</b> {because(act.error)}
          </Note>
        )}
        {act.data && act.data.rejectedCount > 0 && (
          <Note tone="park">
            <b>{counted(act.data.rejectedCount, 'row was', 'rows were')} left out.</b>
            {act.data.rejected.slice(0, SHOWN).map((row) => (
              <span key={row.line} className="block">
                {row.line}: {row.value} · {row.reason}
              </span>
            ))}
          </Note>
        )}
      </div>
    </Dialog>
  );
}
