import { Clock, Gauge, Hourglass, KeyRound, Moon, Pause, RefreshCw } from 'lucide-react';
import type { Mailbox, Message } from '../../api/types';
import { classes } from '../../components/classes';
import { Icon, LanesIcon } from '../../components/Icon';
import { Time } from '../../components/Time';
import { short } from '../../words/number';
import { endsBy, waiting } from '../../words/reason';
import type { Waiting } from '../../words/reason';
import { date, inWords, when } from '../../words/time';
import { Who } from '../message/Who';

interface ScheduledRowProps {
  message: Message;
  place: number;
  cursor: boolean;
  open: boolean;
  narrow: boolean;
  mailbox: Mailbox | undefined;
  now: Date;
  onOpen: (id: string) => void;
}

export function ScheduledRow({ message, place, cursor, open, narrow, mailbox, now, onOpen }: ScheduledRowProps) {
  const due = date(message.dueTime);
  const lifted = date(message.hold?.untilTime);
  const expected = date(message.hold?.expectedTime);
  const reason = waiting(message.hold);
  const isTurn = reason.icon === 'lanes';
  return (
    <tr data-row={place} data-cursor={cursor || undefined} data-open={open || undefined} aria-rowindex={place + 2} className="cursor-pointer" onClick={() => onOpen(message.id)}>
      <td className="h-row">
        <button type="button" className="block w-full min-w-0 text-left" onClick={() => onOpen(message.id)}>
          <Who message={message} />
        </button>
      </td>
      <td className="p-full text-ink-2 phone:order-2">{narrow ? '' : message.subject}</td>
      <td className="p-hide text-ink-2">{mailbox && short(mailbox.address)}</td>
      {!narrow && <td className="p-hide text-ink-2">{due && <Time at={due} text={when(due, now)} />}</td>}
      <td className="phone:order-3 phone:text-12">
        <Reason reason={reason} />
      </td>
      {!narrow && <td className="text-ink-2 phone:order-4 phone:text-12">{isTurn ? '' : lifted && lifted > now ? <Time at={lifted} text={when(lifted, now)} /> : endsBy(message.hold)}</td>}
      <td className="num phone:order-1">{expected ? <Time at={expected} text={inWords(expected, now)} className="font-medium" /> : <span className="text-ink-3">not known</span>}</td>
    </tr>
  );
}

const ICONS = { clock: Clock, gauge: Gauge, hourglass: Hourglass, again: RefreshCw, moon: Moon, pause: Pause, key: KeyRound } as const;

const TONES = { quiet: 'text-ink-3', plain: 'text-ink-3', park: 'text-park', fail: 'text-fail' } as const;

export function Reason({ reason }: { reason: Waiting }) {
  const colour = TONES[reason.tone];
  return (
    <span className="flex min-w-0 items-center gap-2">
      {reason.icon === 'lanes' ? <LanesIcon small className={colour} /> : <Icon of={ICONS[reason.icon]} small className={colour} />}
      <span className={classes('truncate', reason.tone === 'quiet' && 'text-ink-3')}>{reason.text}</span>
    </span>
  );
}
