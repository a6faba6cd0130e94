import { count } from '../words/number';
import { classes } from './classes';

export interface HourBar {
  /** 14:00 */
  label: string;
  sent: number;
  failed: number;
  unconfirmed: number;
  planned: number;
  current?: boolean;
}

interface HourChartProps {
  bars: readonly HourBar[];
  /** Of the mailboxes together, an hour; a dashed line. */
  limit?: number | undefined;
  label: string;
}

const HEIGHT = 130;
/** More labels than this would touch each other. */
const MOST_LABELS = 12;

/** Sent below, then failed and unconfirmed, planned as an outline; the current hour is marked. */
export function HourChart({ bars, limit, label }: HourChartProps) {
  const total = (bar: HourBar) => bar.sent + bar.failed + bar.unconfirmed + bar.planned;
  const highest = Math.max(1, ...bars.map(total));
  const isLimitNear = limit !== undefined && limit <= highest * 2;
  const top = nice(Math.max(highest, isLimitNear ? limit : 0));
  const every = Math.ceil(bars.length / MOST_LABELS);
  const y = (value: number) => `${(value / top) * 100}%`;
  return (
    <figure role="img" aria-label={label} className="relative mt-3 ml-10 phone:ml-8">
      <div aria-hidden="true" className="relative" style={{ height: HEIGHT }}>
        {[0, top / 2, top].map((value) => (
          <GridLine key={value} bottom={y(value)} text={isLimitNear && Math.abs(value - limit) < top * 0.12 ? '' : count(value)} />
        ))}
        <div className="absolute inset-0 flex">
          {bars.map((bar) => (
            <div key={bar.label} className={classes('relative flex h-full flex-1 flex-col items-center justify-end', bar.current && 'bg-hover')} title={spoken(bar)}>
              <span className={classes('text-11 phone:hidden', every > 1 ? 'hidden' : 'text-ink-2')}>{value(bar)}</span>
              <Part height={y(bar.planned)} look="bg-mail-50 border border-mail-300" />
              <Part height={y(bar.unconfirmed)} look="bg-unsure" />
              <Part height={y(bar.failed)} look="bg-fail" />
              <Part height={y(bar.sent)} look={bar.current ? 'bg-mail' : 'bg-mail-400'} />
            </div>
          ))}
        </div>
        {isLimitNear && <GridLine bottom={y(limit)} text={count(limit)} dashed />}
      </div>
      <div aria-hidden="true" className="flex pt-1.5 text-11 text-ink-3">
        {bars.map((bar, place) => (
          <span key={bar.label} className={classes('flex-1 overflow-visible text-center whitespace-nowrap', bar.current && 'font-semibold text-ink')}>
            {(place % every === 0 || bar.current) && <span className={classes(place % 2 === 1 && !bar.current && 'phone:hidden')}>{bar.label}</span>}
          </span>
        ))}
      </div>
    </figure>
  );
}

function Part({ height, look }: { height: string; look: string }) {
  if (height === '0%') return null;
  return <i className={classes('w-[52%] max-w-16 flex-none rounded-[2px]', look)} style={{ height, minHeight: 2 }} />;
}

function GridLine({ bottom, text, dashed = false }: { bottom: string; text: string; dashed?: boolean }) {
  return (
    <div className={classes('absolute inset-x-0 border-t', dashed ? 'border-dashed border-ink-3' : 'border-line')} style={{ bottom }}>
      <span className="absolute right-full -translate-y-1/2 pr-2 text-11 text-ink-3">{text}</span>
    </div>
  );
}

function value(bar: HourBar): string {
  const left = bar.sent + bar.failed + bar.unconfirmed;
  if (left === 0 && bar.planned === 0) return '';
  if (left === 0) return count(bar.planned);
  return bar.planned > 0 ? `${count(left)}+${count(bar.planned)}` : count(left);
}

function spoken(bar: HourBar): string {
  const parts = (['sent', 'failed', 'unconfirmed', 'planned'] as const).filter((part) => bar[part] > 0);
  return `${bar.label}: ${parts.map((part) => `${count(bar[part])} ${part}`).join(', ') || 'nothing'}`;
}

/** The next of 1, 2, 5 × 10ⁿ, in steps that halve to whole numbers. */
export function nice(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= most) ?? 10;
  const found = Math.ceil(step * power);
  return found % 2 === 0 ? found : found + 1;
}

/** The same as a table, for who reads numbers better. */
export function HourTable({ bars }: { bars: readonly HourBar[] }) {
  return (
    <table className="mt-3 w-full text-12">
      <thead className="text-left text-ink-3">
        <tr>
          {['Hour', 'Sent', 'Failed', 'Unconfirmed', 'Planned'].map((name) => (
            <th key={name} scope="col" className="font-normal">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars.map((bar) => (
          <tr key={bar.label} className="border-t border-line">
            <th scope="row" className="py-1 text-left font-medium">
              {bar.label}
            </th>
            {(['sent', 'failed', 'unconfirmed', 'planned'] as const).map((part) => (
              <td key={part}>{count(bar[part])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
