import { classes } from './classes';
import { count } from '../words/number';

interface MeterProps {
  used: number;
  /** Undefined: there is no limit, and nothing to fill. */
  limit: number | undefined;
  /** "this hour", "today" */
  per: string;
  stopped?: boolean;
  /** Without the numbers beside it. */
  bare?: boolean;
  className?: string;
}

/** Used of a limit: amber when full, grey when stopped. */
export function Meter({ used, limit, per, stopped = false, bare = false, className }: MeterProps) {
  const share = limit ? Math.min(used / limit, 1) : 0;
  const fill = stopped ? 'bg-ink-4' : share >= 1 ? 'bg-park' : 'bg-mail';
  return (
    <span className={classes('grid grid-cols-[1fr_auto] items-center gap-2.5', className)}>
      <span
        role="meter"
        aria-valuenow={used}
        aria-valuemin={0}
        aria-valuemax={limit ?? used}
        aria-valuetext={limit ? `${count(used)} of ${count(limit)} ${per}` : `${count(used)} ${per}, no limit`}
        aria-label={per}
        className="relative h-1.5 overflow-hidden rounded-1 bg-track"
      >
        <span className={classes('absolute inset-y-0 left-0 rounded-1 transition-[width] duration-[var(--time-3)]', fill)} style={{ width: `${share * 100}%` }} />
      </span>
      {!bare && (
        <span className="min-w-[62px] text-right whitespace-nowrap">
          {count(used)}
          <span className="text-ink-3"> / {limit ? count(limit) : '∞'}</span>
        </span>
      )}
    </span>
  );
}
