import type { Forecast, Mailbox, MailboxHour, Message } from '../../api/types';
import type { Lane } from '../../components/Lanes';
import { runsOf } from '../../components/lanes';
import type { Road, Run, Wait } from '../../components/lanes';
import { count } from '../../words/number';
import { isStopped, stateOfMailbox, stopWhy } from '../../words/mailbox';
import { date, seconds, until, when } from '../../words/time';

const MINUTE = 60_000;
const BEHIND = 68 * MINUTE;
const AHEAD = 112 * MINUTE;
/** The road moves in steps, so that what lies behind is asked for by the same instant for a while. */
const STEP = 2 * MINUTE;
/** What leaves later than this is not being sent. */
const SOON = 10 * MINUTE;

/** Three hours around now, now at a bit more than a third. */
export function roadAround(now: Date): Road {
  const from = Math.floor((now.getTime() - BEHIND) / STEP) * STEP;
  return { from, until: from + BEHIND + AHEAD, now: now.getTime() };
}

interface Facts {
  hours: readonly MailboxHour[];
  mailboxes: readonly Mailbox[];
  forecasts: readonly Forecast[];
  past: readonly Message[];
  road: Road;
  now: Date;
}

/** A lane for each mailbox: what left of it, what is planned, what it waits for. */
export function lanesOf({ hours, mailboxes, forecasts, past, road, now }: Facts): Lane[] {
  return hours.map((hour) => {
    const mailbox = mailboxes.find(({ id }) => id === hour.mailboxId);
    const stopped = isStopped(hour.stop, now);
    const runs = [...leftRuns(past, hour.mailboxId), ...(stopped ? [] : plannedRuns(forecasts, hour.mailboxId, road))];
    const waits = stopped ? [] : waitsOf(forecasts, hour, road);
    const words = stateOfMailbox({ parks: hour.parks, stop: hour.stop, waiting: hour.waiting, hourlyLimit: mailbox?.hourlyLimit }, now);
    const next = stopped ? undefined : firstOf(forecasts, hour.mailboxId, road.now);
    const used = `${count(hour.used)} of ${count(hour.limit)} this hour`;
    const later = words.mark === 'sending' && next !== undefined && next > road.now + SOON;
    const state = later ? `Waits until ${when(new Date(next), now)}` : words.mark === 'sending' && next ? `Sending, next ${until(new Date(next), now)}` : words.text;
    return {
      id: hour.mailboxId,
      name: (
        <>
          <strong className="block truncate leading-[18px]">{hour.address}</strong>
          <small className="block text-12 text-ink-3">{used}</small>
        </>
      ),
      runs,
      waits,
      state: stopped ? `Stopped, ${count(hour.waiting)} wait` : state,
      why: stopped && hour.stop ? stopWhy(hour.stop, now) : words.why,
      tone: words.tone === 'fail' ? 'fail' : words.tone === 'park' ? 'park' : 'plain',
      label: `${hour.address}: ${used}. ${state}. ${words.why}`,
    };
  });
}

export function leftRuns(past: readonly Message[], mailboxId: string): Run[] {
  const of = (...states: string[]) =>
    past.filter((message) => message.mailboxId === mailboxId && states.includes(message.state)).flatMap((message) => date(message.settleTime ?? message.sendTime)?.getTime() ?? []);
  return [...runsOf(of('MESSAGE_STATE_SENT'), 'left'), ...runsOf(of('MESSAGE_STATE_FAILED'), 'failed'), ...runsOf(of('MESSAGE_STATE_UNCONFIRMED'), 'unsure')];
}

export function plannedRuns(forecasts: readonly Forecast[], mailboxId: string, road: Road): Run[] {
  return forecasts
    .flatMap(({ shares }) => shares.filter((share) => share.mailboxId === mailboxId).flatMap((share) => share.runs))
    .flatMap((run) => {
      const start = date(run.startTime)?.getTime();
      return start === undefined || start > road.until ? [] : [{ start: Math.max(start, road.now), count: run.count, gap: seconds(run.gap) * 1000, kind: 'planned' as const }];
    });
}

export function waitsOf(forecasts: readonly Forecast[], hour: Pick<MailboxHour, 'mailboxId' | 'parks'>, road: Road): Wait[] {
  const [park] = hour.parks;
  const lifted = date(park?.untilTime)?.getTime();
  const now = lifted && lifted > road.now ? [{ from: road.now, until: lifted, reason: park?.detail ?? '' }] : [];
  const ahead = forecasts
    .flatMap(({ holds }) => holds.filter((hold) => hold.mailboxId === hour.mailboxId))
    .flatMap((hold) => {
      const [from, end] = [date(hold.fromTime)?.getTime(), date(hold.untilTime)?.getTime()];
      // The pace itself is no wait: only what shuts the gate is drawn, and what holds it now once.
      const begin = Math.max(from ?? 0, lifted ?? 0);
      if (from === undefined || end === undefined || begin <= road.now || end <= begin || !SHUTS.includes(hold.reason)) return [];
      return [{ from: begin, until: end, reason: hold.reason }];
    });
  return [...now, ...ahead];
}

/** When the first that is planned leaves, also beyond the road. */
function firstOf(forecasts: readonly Forecast[], mailboxId: string, now: number): number | undefined {
  return firstAfter(plannedRuns(forecasts, mailboxId, { from: now, until: Infinity, now }), now);
}

const SHUTS: readonly string[] = ['PACE_REASON_HOURLY_LIMIT', 'PACE_REASON_DAILY_LIMIT', 'PACE_REASON_CAMPAIGN_LIMIT', 'PACE_REASON_PARKED'];

export function firstAfter(runs: readonly Run[], now: number): number | undefined {
  const starts = runs.filter((run) => run.kind === 'planned' && run.start >= now).map((run) => run.start);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}
