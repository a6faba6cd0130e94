import { Link } from 'react-router';
import type { MailboxHour } from '../api/types';
import { classes } from '../components/classes';
import { useNow } from '../useNow';
import { isStopped } from '../words/mailbox';
import { count, short } from '../words/number';
import { clock, date, when } from '../words/time';

/** One line a mailbox that has mail to send: used of its hourly limit. */
export function ThisHour({ hours }: { hours: readonly MailboxHour[] }) {
  const now = useNow(10_000);
  if (hours.length === 0) return null;
  return (
    <section aria-label="This hour, by mailbox" className="mt-auto narrow:hidden">
      <h2 className="flex justify-between px-2 pt-2.5 pb-1.5 text-12 font-medium text-ink-3">
        This hour<span className="font-normal">{clock(now)}</span>
      </h2>
      <ul className="grid grid-cols-[68px_1fr_auto] gap-x-2">
        {hours.map((hour) => (
          <li key={hour.mailboxId} className="col-span-3 grid grid-cols-subgrid">
            <Line hour={hour} now={now} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Line({ hour, now }: { hour: MailboxHour; now: Date }) {
  const lifted = date(hour.parks[0]?.untilTime);
  const stopped = isStopped(hour.stop, now);
  const parked = !stopped && lifted !== undefined && lifted > now;
  const state = stopped ? 'stopped' : parked ? `waits until ${when(lifted, now)}` : hour.waiting > 0 ? 'sending' : 'nothing due';
  const share = hour.limit > 0 ? Math.min(hour.used / hour.limit, 1) : 0;
  return (
    <Link
      to={`/mailboxes#${hour.mailboxId}`}
      title={`${hour.address}: ${count(hour.used)} of ${count(hour.limit)} this hour, ${state}`}
      className="col-span-3 grid h-6 grid-cols-subgrid items-center rounded-2 px-2 text-12 hover:bg-press"
    >
      <span className={classes('truncate', stopped ? 'text-fail-ink' : hour.waiting > 0 ? 'text-ink-2' : 'text-ink-3')}>{short(hour.address)}</span>
      <span className={classes('relative h-1.25 overflow-hidden rounded-1', parked ? 'hatch-park' : 'bg-press')}>
        <i className={classes('absolute inset-y-0 left-0 rounded-1', stopped ? 'bg-ink-4' : parked ? 'bg-park' : 'bg-mail')} style={{ width: `${share * 100}%` }} />
      </span>
      <span className="min-w-11 text-right text-ink-2">
        {count(hour.used)}
        <span className="text-ink-3">/{count(hour.limit)}</span>
      </span>
    </Link>
  );
}
