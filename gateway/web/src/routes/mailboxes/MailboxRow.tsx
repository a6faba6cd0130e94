import { Ellipsis, Pause, Pencil, Play, Shuffle, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client';
import { ApiError } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import type { Mailbox, MailboxUsage } from '../../api/types';
import { Button } from '../../components/Button';
import { Confirm } from '../../components/Confirm';
import { Dialog, DialogText } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import { Menu, MenuItem, MenuLine } from '../../components/Menu';
import { Meter } from '../../components/Meter';
import { State } from '../../components/StateMark';
import { toast } from '../../components/Toasts';
import { connectionWords, isStopped, learnedWords, provider, stateOfMailbox } from '../../words/mailbox';
import { counted, short } from '../../words/number';
import { seconds, span } from '../../words/time';
import { MoveDialog } from './MoveDialog';

interface MailboxRowProps {
  mailbox: Mailbox;
  usage: MailboxUsage | undefined;
  waiting: number;
  starts: Date | undefined;
  others: readonly Mailbox[];
  now: Date;
  onEdit: () => void;
  /** Where a browser sees what it took, of one whose server is the deployment's catcher. */
  caught: string | undefined;
}

const CHANGES = ['mailboxes', 'usage', 'overview', 'attention', 'campaigns', 'forecast'];

export function MailboxRow({ mailbox, usage, waiting, starts, others, now, onEdit, caught }: MailboxRowProps) {
  const words = stateOfMailbox({ parks: mailbox.parks, stop: mailbox.stop, waiting, hourlyLimit: mailbox.hourlyLimit, starts }, now);
  const gap = seconds(mailbox.minGap);
  const stopped = isStopped(mailbox.stop, now);
  const refused = mailbox.stop?.reason === 'STOP_REASON_PASSWORD_REFUSED';
  return (
    <tr data-row id={`mailbox-${mailbox.id}`}>
      <td className="h-[66px]">
        <strong className="block truncate leading-[18px]">{mailbox.address}</strong>
        <small className="block truncate text-12 text-ink-3">
          {[mailbox.displayName, caught ? '' : provider(mailbox.smtp?.host ?? '')].filter(Boolean).join(' · ')}
          {caught && (
            <>
              {' · '}
              <a href={caught} target="_blank" rel="noreferrer" className="link">
                See what it took
              </a>
            </>
          )}
        </small>
      </td>
      <td className="p-full">
        <span className="block leading-[18px] font-medium">
          <State mark={words.mark} tone={words.tone}>
            {words.text}
          </State>
        </span>
        <small className="block truncate text-12 text-ink-3">
          {words.why}
          {refused && (
            <>
              .{' '}
              <button type="button" className="link" onClick={onEdit}>
                Enter a new one
              </button>
            </>
          )}
        </small>
      </td>
      <td className="p-full">
        <Meter used={usage?.hour?.used ?? 0} limit={usage?.hour?.limit ?? mailbox.hourlyLimit} per="this hour" stopped={stopped} />
      </td>
      <td className="p-full">
        {mailbox.dailyLimit ? (
          <Meter used={usage?.day?.used ?? 0} limit={mailbox.dailyLimit} per="today" stopped={stopped} />
        ) : (
          <span className="text-ink-3">No daily limit</span>
        )}
      </td>
      <td className="p-hide">
        <span className="block truncate leading-[18px] font-medium">{gap > 0 ? `${span(gap)} apart at least` : 'No least gap'}</span>
        <small className="block truncate text-12 text-ink-3" title={learnedWords(mailbox, now)}>
          {connectionWords(mailbox)}
        </small>
      </td>
      <td className="num overflow-visible! phone:col-start-2 phone:row-start-1">
        <Actions mailbox={mailbox} waiting={waiting} others={others} onEdit={onEdit} />
      </td>
    </tr>
  );
}

function Actions({ mailbox, waiting, others, onEdit }: Pick<MailboxRowProps, 'mailbox' | 'waiting' | 'others' | 'onEdit'>) {
  const [open, setOpen] = useState<'move' | 'delete' | undefined>();
  const path = { mailbox_id: mailbox.id };
  const paused = mailbox.state === 'MAILBOX_STATE_PAUSED';
  const resume = useAct({
    changes: CHANGES,
    failed: 'Not resumed',
    run: () => call('post', '/v1/mailboxes/{mailbox_id}:resume', { path, body: {} as never }),
    onDone: () => toast({ text: `${short(mailbox.address)} sends again` }),
  });
  const pause = useAct({
    changes: CHANGES,
    failed: 'Not paused',
    run: () => call('post', '/v1/mailboxes/{mailbox_id}:pause', { path, body: {} as never }),
    onDone: () => toast({ text: `Paused. No email leaves ${short(mailbox.address)} any more`, mark: 'paused', action: { text: 'Undo', run: () => resume.mutate() } }),
  });
  return (
    <>
      <Menu label={`Actions of ${mailbox.address}`} button={(props) => <Button kind="quiet" size="small" square aria-label={`More for ${mailbox.address}`} icon={<Icon of={Ellipsis} />} {...props} />}>
        {(close) => (
          <>
            <MenuItem icon={<Icon of={Pencil} />} onSelect={() => (close(), onEdit())}>
              Edit and verify
            </MenuItem>
            {paused || mailbox.stop ? (
              <MenuItem icon={<Icon of={Play} />} onSelect={() => (close(), resume.mutate())}>
                {paused ? 'Resume' : 'Try again now'}
              </MenuItem>
            ) : (
              <MenuItem icon={<Icon of={Pause} />} onSelect={() => (close(), pause.mutate())}>
                Pause
              </MenuItem>
            )}
            <MenuItem icon={<Icon of={Shuffle} />} disabled={others.length === 0} onSelect={() => (close(), setOpen('move'))}>
              Move what waits…
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Icon of={Trash2} />} onSelect={() => (close(), setOpen('delete'))}>
              Delete…
            </MenuItem>
          </>
        )}
      </Menu>
      {open === 'move' && <MoveDialog mailbox={mailbox} waiting={waiting} others={others} onClose={() => setOpen(undefined)} />}
      {open === 'delete' && <Delete mailbox={mailbox} waiting={waiting} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Delete({ mailbox, waiting, onClose }: { mailbox: Mailbox; waiting: number; onClose: () => void }) {
  const act = useAct({
    changes: CHANGES,
    run: () => call('delete', '/v1/mailboxes/{mailbox_id}', { path: { mailbox_id: mailbox.id } }),
    onDone: () => (toast({ text: `${mailbox.address} was deleted` }), onClose()),
  });
  if (act.error instanceof ApiError && act.error.reason === 'MAILBOX_IN_USE') {
    return (
      <Dialog title={`${short(mailbox.address)} is in use`} onClose={onClose} buttons={<Button onClick={onClose}>Close</Button>}>
        <DialogText>
          {waiting > 0 ? `${short(mailbox.address)} still has ${counted(waiting, 'email')} to send.` : 'Campaigns that have not ended use it.'} Cancel these or move them first.
        </DialogText>
      </Dialog>
    );
  }
  return (
    <Confirm danger title={`Delete ${mailbox.address}?`} keep="Keep it" verb="Delete mailbox" busy={act.isPending} onConfirm={() => act.mutate()} onClose={onClose}>
      What it has sent stays as it is, and still counts against the limits of its address. {act.error && <span className="text-fail-ink">{because(act.error)}</span>}
    </Confirm>
  );
}
