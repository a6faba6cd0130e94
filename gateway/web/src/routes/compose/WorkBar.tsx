import type { Work } from '../../compose/recipients';

/** How far a list is: read here, then sent. */
export function WorkBar({ work }: { work: Work }) {
  const percent = Math.round(work.share * 100);
  const what = work.phase === 'reading' ? 'Reading' : 'Sending';
  return (
    <div className="grid gap-1.5 rounded-3 border border-line px-4 py-3">
      <p className="flex justify-between gap-3">
        <span>
          {what} <b>{work.name}</b>
        </span>
        <span className="text-ink-3">{percent} %</span>
      </p>
      <div role="progressbar" aria-label={`${what} ${work.name}`} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} className="h-1.5 overflow-hidden rounded-1 bg-track">
        <div className="h-full rounded-1 bg-mail transition-[width] duration-[var(--time-2)]" style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
