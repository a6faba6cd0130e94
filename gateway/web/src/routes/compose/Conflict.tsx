import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { TriangleAlert } from 'lucide-react';
import { audit } from '../../api/queries';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Note } from '../../components/Note';
import type { Draft, Saving } from '../../compose/draft';
import { textOf } from '../../compose/htmlText';
import { FIELD_WORDS } from '../../compose/plan';
import type { Field, Plan } from '../../compose/plan';
import { date, day, when } from '../../words/time';

/** Somebody else changed the same: nothing is overwritten until a person has decided. */
export function Conflict({ draft, plan, saving }: { draft: Draft; plan: Plan; saving: Saving }) {
  return saving.kind === 'conflict' ? <Notice draft={draft} plan={plan} {...saving} /> : null;
}

function Notice({ draft, plan, fields, theirs }: { draft: Draft; plan: Plan; fields: readonly Field[]; theirs: Plan }) {
  const [open, setOpen] = useState(false);
  const names = fields.map((field) => FIELD_WORDS[field]).join(', ');
  const change = useLastChange(draft.state.id ?? '');
  const decide = (ours: readonly Field[]) => {
    setOpen(false);
    draft.settle(ours);
  };
  return (
    <>
      <Note tone="unsure" icon={TriangleAlert} className="mx-gutter mt-3">
        <span role="alert">
          <b>Changed by someone else.</b> {change ? `${change.who} edited the ${names} at ${when(change.at, new Date())}` : `The ${names} changed since you opened it`}. Yours is kept in this browser.{' '}
        </span>
        <button type="button" className="link" onClick={() => setOpen(true)}>
          See both
        </button>
      </Note>
      {open && (
        <Dialog
          wide
          title="Which one stays?"
          onClose={() => setOpen(false)}
          buttons={
            <>
              <Button onClick={() => decide([])}>Take theirs</Button>
              <Button kind="primary" onClick={() => decide(fields)}>
                Keep mine
              </Button>
            </>
          }
        >
          <div className="grid gap-4 px-[22px] pt-2 pb-[18px]">
            {fields.map((field) => (
              <section key={field} aria-label={FIELD_WORDS[field]} className="grid grid-cols-2 gap-3 phone:grid-cols-1">
                <Side title={`Mine: ${FIELD_WORDS[field]}`} text={shown(plan, field)} />
                <Side title={`Theirs: ${FIELD_WORDS[field]}`} text={shown(theirs, field)} />
              </section>
            ))}
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Who saved this draft last, and when: the other side of a conflict, for ours is not saved. Only admins may read it. */
function useLastChange(id: string): { who: string; at: Date } | undefined {
  const { data } = useQuery({ ...audit(`campaigns/${id}`), staleTime: 0, retry: false });
  const entry = data?.entries.find(({ verb }) => verb === 'campaign.update');
  const at = date(entry?.time);
  return entry && at ? { who: entry.userName || entry.tokenName || 'Somebody', at } : undefined;
}

function Side({ title, text }: { title: string; text: string }) {
  return (
    <div className="min-w-0">
      <h3 className="mb-1 text-12 font-medium text-ink-3">{title}</h3>
      <div className="max-h-72 overflow-auto rounded-2 bg-hover px-3 py-2 break-words whitespace-pre-wrap">{text || '(empty)'}</div>
    </div>
  );
}

function shown(plan: Plan, field: Field): string {
  switch (field) {
    case 'html':
      return textOf(plan.html);
    case 'mailboxIds':
      return `${plan.mailboxIds.length} chosen`;
    case 'startTime':
      return plan.startTime ? day(new Date(plan.startTime), new Date()) : 'Now';
    case 'delayS':
      return `${plan.delayS} s`;
    case 'hourlyLimit':
      return plan.hourlyLimit === undefined ? 'None' : `${plan.hourlyLimit} an hour`;
    default:
      return plan[field];
  }
}
