import type { ReactNode } from 'react';
import { classes } from './classes';

/** A part of a screen with a line around it. */
export function Panel({ title, fact, end, children, className, label }: { title?: string; fact?: ReactNode; end?: ReactNode; children: ReactNode; className?: string; label?: string }) {
  return (
    <section aria-label={label ?? title} className={classes('rounded-3 border border-line bg-paper', className)}>
      {title && (
        <header className="flex flex-wrap items-center gap-x-2 gap-y-1 px-4 pt-3">
          <h2 className="font-semibold">{title}</h2>
          {fact && <span className="text-ink-3">{fact}</span>}
          {end && <div className="ml-auto phone:ml-0 phone:w-full">{end}</div>}
        </header>
      )}
      {children}
    </section>
  );
}
