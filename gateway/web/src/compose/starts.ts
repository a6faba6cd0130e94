/** When a campaign may start: quick picks, and times of a day in a zone that is chosen. Pure. */

export interface Wall {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

export type PickKey = 'now' | 'hour' | 'tomorrow' | 'monday';

export interface Pick {
  key: PickKey;
  /** Undefined: at once. */
  at: Date | undefined;
}

const MORNING = 9;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' });
    formats.set(zone, found);
  }
  return found;
}

/** What clocks and calendars of a zone show at an instant. */
export function wallOf(at: Date, zone: string): Wall {
  const parts = Object.fromEntries(format(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return { year: parts['year'] ?? 0, month: parts['month'] ?? 1, day: parts['day'] ?? 1, hour: parts['hour'] ?? 0, minute: parts['minute'] ?? 0 };
}

/** The instant at which a zone's clocks show this. Where they show it twice (autumn), the first; where they skip it
 * (spring), as much later as they are put forward. */
export function instantOf(wall: Wall, zone: string): Date {
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute);
  // An offset is at most 14 h: a day before and after, both offsets that can apply are in force.
  const offsets = [asUtc - 24 * HOUR_MS, asUtc + 24 * HOUR_MS].map((at) => offsetMs(new Date(at), zone));
  const found = offsets.map((offset) => asUtc - offset).filter((at) => at + offsetMs(new Date(at), zone) === asUtc);
  return new Date(found.length > 0 ? Math.min(...found) : asUtc - (offsets[0] ?? 0));
}

/** How far a zone is ahead of UTC at an instant. */
export function offsetMs(at: Date, zone: string): number {
  const wall = wallOf(at, zone);
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute);
  return asUtc - Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
}

/** A day so many days on, at an hour. */
export function dayAt(from: Wall, days: number, hour: number, minute = 0): Wall {
  const moved = new Date(Date.UTC(from.year, from.month - 1, from.day + days));
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate(), hour, minute };
}

/** Now, in an hour, tomorrow 9:00, Monday 9:00. Where tomorrow is Monday, Monday is the one after. */
export function quickPicks(now: Date, zone: string): Pick[] {
  const today = wallOf(now, zone);
  const weekday = new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay();
  const toMonday = (8 - weekday) % 7 || 7;
  return [
    { key: 'now', at: undefined },
    { key: 'hour', at: new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS + HOUR_MS) },
    { key: 'tomorrow', at: instantOf(dayAt(today, 1, MORNING), zone) },
    { key: 'monday', at: instantOf(dayAt(today, toMonday === 1 ? 8 : toMonday, MORNING), zone) },
  ];
}

export interface CalendarDay {
  wall: Wall;
  inMonth: boolean;
  isPast: boolean;
  isToday: boolean;
}

/** The six weeks, from Monday, that a calendar shows of a month. */
export function monthOf(year: number, month: number, today: Wall): CalendarDay[][] {
  const first: Wall = { year, month, day: 1, hour: 0, minute: 0 };
  const lead = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  const key = (wall: Wall) => wall.year * 10_000 + wall.month * 100 + wall.day;
  return Array.from({ length: 6 }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday) => {
      const wall = dayAt(first, week * 7 + weekday - lead, 0);
      return { wall, inMonth: wall.month === month, isPast: key(wall) < key(today), isToday: key(wall) === key(today) };
    }),
  );
}
