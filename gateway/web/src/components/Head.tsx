import type { ReactNode } from 'react';
import { useEffect } from 'react';

/** A screen's head: its title, one grey fact about the whole, what can be done. */
export function Head({ title, fact, actions, above, beside }: { title: string; fact?: ReactNode; actions?: ReactNode; above?: ReactNode; beside?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Maillane`;
  }, [title]);
  return (
    <header className="flex min-h-[60px] items-center gap-x-3 gap-y-2 px-gutter py-3 phone:min-h-14 phone:flex-wrap">
      {/* On a phone beside what can be done, as long as the title has room for some words. */}
      <div className="flex min-w-0 flex-wrap items-baseline gap-x-3 phone:flex-[1_1_180px]">
        {above && <div className="mb-0.5 w-full text-ink-3">{above}</div>}
        <h1 tabIndex={-1} className="min-w-0 text-20 font-semibold tracking-[-0.018em] break-words">
          {title}
        </h1>
        {beside}
        {fact && <span className="text-ink-3">{fact}</span>}
      </div>
      {actions && <div className="ml-auto flex items-center gap-2 phone:has-[[data-find]]:w-full">{actions}</div>}
    </header>
  );
}
