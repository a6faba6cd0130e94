import type { Forecast } from '../../api/types';
import { classes } from '../../components/classes';
import { barsOf } from '../../compose/forecast';
import { count } from '../../words/number';
import { when } from '../../words/time';

const HEIGHT = 84;
/** A column is no wider, so that few hours look like few. */
const WIDEST = 44;

const SHADES = ['bg-mail', 'bg-mail-300', 'bg-mail-200'] as const;

/** The colour of the n-th mailbox; from the third on they share one. */
export function shade(place: number): string {
  return SHADES[Math.min(place, SHADES.length - 1)] ?? SHADES[0];
}

/** Emails by hour, stacked by mailbox. */
export function ForecastChart({ forecast, now, names }: { forecast: Forecast; now: Date; names: ReadonlyMap<string, string> }) {
  const { bars, stepH, top } = barsOf(forecast);
  const [first, middle, last] = [bars[0], bars[Math.floor(bars.length / 2)], bars.at(-1)];
  if (!first || !last || !middle) return null;
  const per = stepH === 1 ? 'an hour' : stepH === 24 ? 'a day' : `in ${stepH} h`;
  const at = (start: number) => when(new Date(start), now);
  const label = `Emails by hour from ${at(first.start)} to ${at(last.start)}, at most ${count(top)} ${per}: ${forecast.shares.map(({ mailboxId, count: emails }) => `${names.get(mailboxId) ?? 'a mailbox'} ${count(emails)}`).join(', ')}`;
  return (
    <figure role="img" aria-label={label} className="mt-3">
      <p aria-hidden="true" className="text-11 text-ink-3">
        {count(top)} {per}
      </p>
      <div aria-hidden="true" className="flex border-b border-line" style={{ height: HEIGHT, maxWidth: bars.length * WIDEST }}>
        {bars.map(({ start, parts }) => {
          const sum = parts.reduce((all, part) => all + part, 0);
          return (
            <div key={start} title={`${at(start)}: ${count(sum)}`} className="flex h-full flex-1 flex-col-reverse items-center gap-px">
              {parts.map((part, place) => part > 0 && <i key={place} className={classes('w-[72%] flex-none rounded-[1.5px]', shade(place))} style={{ height: `calc(${(part / top) * 100}% - 1px)`, minHeight: 1 }} />)}
            </div>
          );
        })}
      </div>
      <div aria-hidden="true" className="flex justify-between pt-1 text-11 text-ink-3" style={{ maxWidth: bars.length * WIDEST }}>
        <span>{at(first.start)}</span>
        {bars.length > 4 && <span>{at(middle.start)}</span>}
        {bars.length > 1 && <span>{at(last.start)}</span>}
      </div>
      {forecast.truncated && <p className="text-11 text-ink-3">Some leave later than this shows.</p>}
    </figure>
  );
}
