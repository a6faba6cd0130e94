import { Link } from 'react-router';
import { classes } from './classes';

export interface Tab {
  key: string;
  text: string;
  count?: string | undefined;
  to: string;
}

/** Filters by state or reason: links, for they live in the address. `line` for the parts of a screen. */
export function Tabs({ label, tabs, current, line = false }: { label: string; tabs: readonly Tab[]; current: string; line?: boolean }) {
  return (
    <nav aria-label={label} className={classes('flex overflow-x-auto [scrollbar-width:none]', line ? 'gap-5 border-b border-line px-gutter' : 'gap-0.5')}>
      {tabs.map(({ key, text, count, to }) => (
        <Link
          key={key}
          to={to}
          replace
          aria-current={key === current ? 'true' : undefined}
          className={classes(
            'flex flex-none items-center gap-1.5 font-medium whitespace-nowrap text-ink-2 hover:text-ink',
            line
              ? 'h-[38px] aria-[current]:text-ink aria-[current]:shadow-[inset_0_-2px_var(--color-ink)]'
              : 'h-7 rounded-2 px-2.5 aria-[current]:bg-press aria-[current]:text-ink phone:h-9',
          )}
        >
          {text}
          {count !== undefined && <span className="font-normal text-ink-3">{count}</span>}
        </Link>
      ))}
    </nav>
  );
}
