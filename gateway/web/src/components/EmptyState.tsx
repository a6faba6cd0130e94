import type { ReactNode } from 'react';
import { StateMark } from './StateMark';
import type { Mark } from './StateMark';

/** What stands where rows would: why there are none, and what to do. */
export function EmptyState({ title, children, actions, mark, art }: { title: string; children?: ReactNode; actions?: ReactNode; mark?: Mark; art?: ReactNode }) {
  return (
    <div className="grid min-h-60 place-content-center justify-items-center p-6 text-center">
      {art}
      {mark && <StateMark mark={mark} className="size-7.5! stroke-[0.8] text-ink-4!" />}
      <h2 className="mt-3.5 mb-1 text-14 font-semibold">{title}</h2>
      <div className="max-w-[320px] text-ink-2">{children}</div>
      {actions && <div className="mt-4 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

/** An empty road with one planned mark: nothing has left yet. */
export function EmptyRoad() {
  return (
    <svg width="180" height="18" aria-hidden="true">
      <rect width="180" height="18" rx="4" className="fill-track" />
      <path d="M8 9h164" className="stroke-line-2" strokeDasharray="5 5" />
      <rect x="14" y="4" width="4" height="10" rx="1.5" className="fill-paper stroke-mail-400" />
    </svg>
  );
}
