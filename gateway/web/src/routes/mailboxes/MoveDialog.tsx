import { useState } from 'react';
import { call } from '../../api/client';
import { because, useAct } from '../../api/useAct';
import type { Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Check } from '../../components/Field';
import { Note } from '../../components/Note';
import { toast } from '../../components/Toasts';
import { counted, short } from '../../words/number';

/** Each call moves a bounded number; beyond so many calls something is wrong. */
const MOST_CALLS = 200;

/** Moves what waits in a mailbox to others. */
export function MoveDialog({ mailbox, waiting, others, onClose }: { mailbox: Mailbox; waiting: number; others: readonly Mailbox[]; onClose: () => void }) {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [leave, setLeave] = useState(false);
  const act = useAct({
    changes: ['mailboxes', 'overview', 'attention', 'campaigns', 'campaign', 'messages', 'forecast'],
    run: async () => {
      let moved = 0;
      for (let calls = 0; calls < MOST_CALLS; calls++) {
        const answer = await call('post', '/v1/mailboxes/{mailbox_id}:moveMessages', { path: { mailbox_id: mailbox.id }, body: { toMailboxIds: [...chosen], leave } as never });
        moved += answer.moved;
        if (!answer.more) break;
      }
      return moved;
    },
    onDone: (moved) => (toast({ text: `${counted(moved, 'email')} moved` }), onClose()),
  });
  return (
    <Dialog
      title={`Move what waits in ${short(mailbox.address)}?`}
      onClose={onClose}
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            Leave it there
          </Button>
          <Button kind="primary" busy={act.isPending} disabled={chosen.length === 0} onClick={() => act.mutate()}>
            {waiting > 0 ? `Move ${counted(waiting, 'email')}` : 'Move what waits'}
          </Button>
        </>
      }
    >
      <div className="grid gap-2 px-[22px] pt-2 pb-4.5">
        <p className="mb-1 text-ink-2">They keep their order, and leave from these mailboxes instead, behind what those have of the same campaign.</p>
        {others.map(({ id, address }) => (
          <label key={id} className="flex items-center gap-2">
            <Check label={address} checked={chosen.includes(id)} onChange={(event) => setChosen(event.target.checked ? [...chosen, id] : chosen.filter((each) => each !== id))} />
            {address}
          </label>
        ))}
        <label className="mt-2 flex items-center gap-2 border-t border-line pt-3 text-ink-2">
          <Check label="Its campaigns do not use it any more" checked={leave} onChange={(event) => setLeave(event.target.checked)} />
          Its campaigns do not use it any more, so that it can be deleted
        </label>
        {act.error && (
          <Note tone="fail">
            <b>Not all was moved.</b> {because(act.error)}
          </Note>
        )}
      </div>
    </Dialog>
  );
}
