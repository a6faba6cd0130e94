/** What a forecast says, in words and for its pictures. Pure. */

import type { Forecast, ForecastHold, ForecastShare, Mailbox } from '../api/types';
import type { Road, Run, Wait } from '../components/lanes';
import { count, counted, short } from '../words/number';
import { clock, date, seconds, span, when } from '../words/time';

const HOUR_MS = 3_600_000;
/** More bars than this are thinner than a line. */
const MOST_BARS = 48;
const STEPS_H = [1, 2, 3, 6, 12, 24];

type Names = ReadonlyMap<string, string>;

export function namesOf(mailboxes: readonly Mailbox[]): Names {
  return new Map(mailboxes.map(({ id, address }) => [id, short(address)]));
}

/** What sets the pace: the fact, and what it means. */
export function bindingWords({ binding, holds, shares }: Forecast, names: Names, delayS: number, now: Date): [string, string] | undefined {
  const who = names.get(binding?.mailboxId ?? '') ?? 'A mailbox';
  const limit = binding?.limit === undefined ? 'limit' : count(binding.limit);
  switch (binding?.reason) {
    case 'PACE_REASON_DELAY':
      return ['The delay sets the pace.', `One email each ${span(delayS)} ${shares.length > 1 ? 'in each mailbox' : 'leaves'}; no limit is reached.`];
    case 'PACE_REASON_HOURLY_LIMIT':
      return [shares.length > 1 ? 'The hourly limits set the pace.' : 'The hourly limit sets the pace.', reached(holds, 'PACE_REASON_HOURLY_LIMIT', names, now, ', and so every hour.') || `${who} may send ${limit} an hour.`];
    case 'PACE_REASON_DAILY_LIMIT':
      return ['The daily limit sets the pace.', reached(holds, 'PACE_REASON_DAILY_LIMIT', names, now, '.') || `${who} may send ${limit} a day.`];
    case 'PACE_REASON_CAMPAIGN_LIMIT':
      return ['The limit of this campaign sets the pace.', `At most ${limit} leave an hour, over all its mailboxes.`];
    case 'PACE_REASON_MIN_GAP':
      return ['The mailbox sets the pace.', `${who} keeps a time of its own between two emails.`];
    case 'PACE_REASON_OTHER_CAMPAIGNS':
      return ['Other campaigns take their turns.', `${who} has their emails to send as well.`];
    case 'PACE_REASON_PARKED':
      return [`${who} is parked.`, 'Its server asked for patience.'];
    case 'PACE_REASON_PAUSED':
      return ['When it ends is not known.', `${who} is paused or stopped. Its emails wait until it goes on.`];
    default:
      return undefined;
  }
}

/** sales@ reaches its 40 at 09:29 and waits for 10:00, mira@ its 60 at 09:44 */
function reached(holds: readonly ForecastHold[], reason: ForecastHold['reason'], names: Names, now: Date, end: string): string {
  const firsts = [...new Map(holds.filter((hold) => hold.reason === reason && hold.limit !== undefined).reverse().map((hold) => [hold.mailboxId, hold])).values()].reverse();
  // Within an hour the day says nothing.
  const say = (at: Date) => (reason === 'PACE_REASON_HOURLY_LIMIT' ? clock(at) : when(at, now));
  const said = firsts.slice(0, 3).map(({ mailboxId, limit, fromTime, untilTime }, place) => {
    const [from, until] = [date(fromTime), date(untilTime)];
    const its = `its ${count(limit ?? 0)}${from ? ` at ${say(from)}` : ''}`;
    const name = names.get(mailboxId) ?? 'a mailbox';
    return place === 0 ? `${name} reaches ${its}${until ? ` and waits for ${say(until)}` : ''}` : `${name} ${its}`;
  });
  return said.length > 0 ? said.join(', ') + end : '';
}

/** Add hello@: ends Wed 17:11 */
export function suggestionWords({ suggestion }: Forecast, names: Names, now: Date): string | undefined {
  const last = date(suggestion?.lastTime);
  if (!suggestion || !last) return undefined;
  const what = {
    SUGGESTION_KIND_UNSPECIFIED: undefined,
    SUGGESTION_KIND_ADD_MAILBOX: `Add ${names.get(suggestion.mailboxId) ?? 'a mailbox'}`,
    SUGGESTION_KIND_LIFT_CAMPAIGN_LIMIT: 'No limit of its own',
    SUGGESTION_KIND_HALVE_DELAY: 'Half the delay',
  }[suggestion.kind];
  return what && `${what}: ends ${when(last, now)}`;
}

/** The whole in one sentence, which is also what is read out. */
export function forecastSentence(forecast: Forecast, names: Names, now: Date): string {
  const { recipients, shares, firstTime, lastTime, binding } = forecast;
  const [first, last] = [date(firstTime), date(lastTime)];
  const through = `${counted(recipients, 'email')} through ${counted(shares.length, 'mailbox', 'mailboxes')}`;
  const why = binding?.reason === 'PACE_REASON_HOURLY_LIMIT' ? `; the hourly limit of ${names.get(binding.mailboxId) ?? 'a mailbox'} holds it${binding.fromTime ? ` from ${when(date(binding.fromTime) ?? now, now)}` : ''}` : '';
  return `${through}: first ${first ? when(first, now) : 'not known'}, last ${last ? when(last, now) : 'not known'}${why}`;
}

/** sales@: 496 emails, last Thu 11:11 */
export function shareWords({ count: emails, lastTime }: ForecastShare, now: Date): string {
  const last = date(lastTime);
  return emails === 0 ? 'nothing' : `${counted(emails, 'email')}, last ${last ? when(last, now) : 'not known'}`;
}

export interface ForecastBar {
  start: number;
  /** By share. */
  parts: number[];
}

/** Bars for all hours from the first to the last, several hours to a bar where they are many. */
export function barsOf({ hours, shares }: Forecast): { bars: ForecastBar[]; stepH: number; top: number } {
  const places = new Map(shares.map(({ mailboxId }, place) => [mailboxId, place]));
  const starts = hours.map(({ startTime }) => date(startTime)?.getTime() ?? 0);
  const [first, last] = [Math.min(...starts), Math.max(...starts)];
  if (starts.length === 0) return { bars: [], stepH: 1, top: 1 };
  const total = (last - first) / HOUR_MS + 1;
  const stepH = STEPS_H.find((step) => total / step <= MOST_BARS) ?? 24;
  const bars = Array.from({ length: Math.ceil(total / stepH) }, (_, place) => ({ start: first + place * stepH * HOUR_MS, parts: shares.map(() => 0) }));
  hours.forEach(({ planned }, at) => {
    const bar = bars[Math.floor(((starts[at] ?? 0) - first) / HOUR_MS / stepH)];
    for (const { mailboxId, count: emails } of planned) {
      const place = places.get(mailboxId);
      if (bar && place !== undefined) bar.parts[place] = (bar.parts[place] ?? 0) + emails;
    }
  });
  return { bars, stepH, top: Math.max(1, ...bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0))) };
}

/** The first two hours, from the full hour. */
export function firstRoad({ firstTime }: Forecast, now: Date): Road {
  const from = Math.floor((date(firstTime)?.getTime() ?? now.getTime()) / HOUR_MS) * HOUR_MS;
  return { from, until: from + 2 * HOUR_MS, now: now.getTime() };
}

export function runsOfShare({ runs }: ForecastShare): Run[] {
  return runs.map(({ startTime, count: emails, gap }) => ({ start: date(startTime)?.getTime() ?? 0, count: emails, gap: seconds(gap) * 1000, kind: 'planned' }));
}

export function waitsOfShare({ mailboxId }: ForecastShare, { holds }: Forecast): Wait[] {
  return holds
    .filter((hold) => hold.mailboxId === mailboxId && hold.reason !== 'PACE_REASON_START')
    .map(({ reason, fromTime, untilTime }) => ({ from: date(fromTime)?.getTime() ?? 0, until: date(untilTime)?.getTime() ?? Number.POSITIVE_INFINITY, reason }));
}
