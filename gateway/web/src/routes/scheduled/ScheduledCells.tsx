import { Clock, Gauge, Hourglass, KeyRound, Moon, Pause, RefreshCw } from 'lucide-react';
import type { Hold, Mailbox, Message } from '../../api/types';
import { classes } from '../../components/classes';
import { Icon, LanesIcon } from '../../components/Icon';
import { Time } from '../../components/Time';
import { short } from '../../words/number';
import { endsBy, waiting } from '../../words/reason';
import type { Waiting } from '../../words/reason';
import { date, inWords, precise, when } from '../../words/time';

interface ScheduledCellsProps {
  message: Message;
  narrow: boolean;
  mailbox: Mailbox | undefined;
  now: Date;
}

/** Between a phone's cards and a table with room for all, why and until when come before what. */
export const SUBJECT = 'min-[721px]:max-[860px]:hidden';

/** Why a message waits, until when, and when it leaves. */
export function ScheduledCells({ message, narrow, mailbox, now }: ScheduledCellsProps) {
  const due = date(message.dueTime);
  const expected = date(message.hold?.expectedTime);
  return (
    <>
      {!narrow && <td className={`p-full text-ink-2 phone:order-2 ${SUBJECT}`}>{message.subject}</td>}
      <td className="p-hide text-ink-2">{mailbox && short(mailbox.address)}</td>
      {!narrow && <td className="n-hide text-ink-2">{due && <Time at={due} text={when(due, now)} />}</td>}
      <td className="phone:order-3 phone:text-12">
        <Reason reason={waiting(message.hold)} />
      </td>
      {!narrow && (
        <td className="text-ink-2 phone:order-4 phone:text-12">
          <Until hold={message.hold} now={now} />
        </td>
      )}
      <td className="num phone:order-1">
        {expected ? (
          <span className="inline-flex items-baseline gap-3">
            <Time at={expected} text={inWords(expected, now)} className="font-medium" />
            {!narrow && <span className="min-w-[66px] text-ink-3 snug:hidden">{precise(expected, now)}</span>}
          </span>
        ) : (
          <span className="text-ink-3">not known</span>
        )}
      </td>
    </>
  );
}

/** Until when it is held; what waits for its turn leaves then, as the next column says. */
function Until({ hold, now }: { hold: Hold | undefined; now: Date }) {
  const lifted = date(hold?.untilTime);
  if (hold?.reason === 'HOLD_REASON_TURN' || hold?.reason === 'HOLD_REASON_NOT_DUE') return null;
  if (!lifted || lifted <= now) return endsBy(hold);
  return (
    <>
      <span className="desk:sr-only">until </span>
      <Time at={lifted} text={when(lifted, now)} />
    </>
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
