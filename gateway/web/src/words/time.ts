/** Instants and spans in words. 24 hours, in the browser's time zone; `now` is always given. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** How many days around now have the weekday as their name. */
const NAMED_DAYS = 6;

/** The API's instant as a date; undefined where it is unset. */
export function date(text: string | undefined): Date | undefined {
  return text ? new Date(text) : undefined;
}

/** The API's duration ("45s", "0.1s") in seconds. */
export function seconds(text: string | undefined): number {
  return text ? Number.parseFloat(text) : 0;
}

/** 14:52 */
export function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** 14:52:03 */
export function clockS(at: Date): string {
  return `${clock(at)}:${two(at.getSeconds())}`;
}

/** 14:52 today, Wed 09:00 within the week, 3 Nov in this year, else 3 Nov 2025. */
export function when(at: Date, now: Date): string {
  const days = daysFrom(now, at);
  if (days === 0) return clock(at);
  if (Math.abs(days) <= NAMED_DAYS) return `${weekday(at)} ${clock(at)}`;
  return calendarDay(at, now);
}

/** As `when`, to the second where it is today: 14:52:03. */
export function precise(at: Date, now: Date): string {
  return daysFrom(now, at) === 0 ? clockS(at) : when(at, now);
}

/** The same as `when`, and today, tomorrow and yesterday by name: today 18:23. */
export function day(at: Date, now: Date): string {
  const name = { 0: 'today', 1: 'tomorrow', '-1': 'yesterday' }[String(daysFrom(now, at))];
  return name ? `${name} ${clock(at)}` : when(at, now);
}

/** 3 Nov, or 3 Nov 2025 in another year. */
export function calendarDay(at: Date, now: Date): string {
  const text = `${at.getDate()} ${MONTHS[at.getMonth()]}`;
  return at.getFullYear() === now.getFullYear() ? text : `${text} ${at.getFullYear()}`;
}

/** in 12 s, in 22 min, then as `when`; what has passed is "now". */
export function until(at: Date, now: Date): string {
  const ms = at.getTime() - now.getTime();
  if (ms < 1000) return 'now';
  if (ms < MINUTE) return `in ${Math.round(ms / 1000)} s`;
  if (ms < 90 * MINUTE) return `in ${Math.round(ms / MINUTE)} min`;
  return when(at, now);
}

/** in 12 s, in 22 min, in 5 h, in 6 days. */
export function inWords(at: Date, now: Date): string {
  const ms = at.getTime() - now.getTime();
  if (ms < 90 * MINUTE) return until(at, now);
  if (ms < 36 * HOUR) return `in ${Math.round(ms / HOUR)} h`;
  return `in ${Math.round(ms / DAY)} days`;
}

/** just now, 12 s ago, 4 min ago, 3 h ago, 94 days ago. */
export function ago(at: Date, now: Date): string {
  const ms = now.getTime() - at.getTime();
  if (ms < 5000) return 'just now';
  if (ms < MINUTE) return `${Math.round(ms / 1000)} s ago`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min ago`;
  if (ms < 36 * HOUR) return `${Math.round(ms / HOUR)} h ago`;
  return `${Math.round(ms / DAY)} days ago`;
}

/** Tue 24 Nov 2026, 14:38:20, with the zone: what a hover shows. */
export function exact(at: Date): string {
  const text = `${weekday(at)} ${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}, ${clockS(at)}`;
  return `${text} ${zoneOffset(at)}`;
}

/** UTC+1, UTC, UTC−3:30 */
export function zoneOffset(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const whole = Math.floor(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${whole}${rest ? `:${two(rest)}` : ''}`;
}

/** Europe/Berlin */
export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** 0.4 s, 45 s, 6 min, 2 h: a length of time. */
export function span(s: number): string {
  if (s < 1) return `${Number(s.toPrecision(2))} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 120 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} days`;
}

function weekday(at: Date): string {
  return WEEKDAYS[at.getDay()] ?? '';
}

function daysFrom(now: Date, at: Date): number {
  const start = (each: Date) => new Date(each.getFullYear(), each.getMonth(), each.getDate()).getTime();
  // Days of 23 and 25 hours are days too.
  return Math.round((start(at) - start(now)) / DAY);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
