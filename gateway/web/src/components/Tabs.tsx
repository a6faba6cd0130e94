import { useNavigate } from 'react-router';
import { classes } from './classes';

export interface Tab {
  key: string;
  text: string;
  count?: string | undefined;
  to: string;
}

/** Filters by state or reason: links, for they live in the address. `line` for the parts of a screen. */
export function Tabs({ label, tabs, current, line = false }: { label: string; tabs: readonly Tab[]; current: string; line?: boolean }) {
  const navigate = useNavigate();
  return (
    <nav aria-label={label} className={classes('flex overflow-x-auto [scrollbar-width:none]', line ? 'gap-5 border-b border-line px-gutter' : 'gap-0.5')}>
      {tabs.map(({ key, text, count, to }) => (
        <a
          key={key}
          href={to}
          aria-current={key === current ? 'true' : undefined}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            void navigate(to, { replace: true, preventScrollReset: true });
          }}
          className={classes(
            'flex flex-none items-center gap-1.5 font-medium whitespace-nowrap text-ink-2 hover:text-ink',
            line
              ? 'h-[38px] aria-[current]:text-ink aria-[current]:shadow-[inset_0_-2px_var(--color-ink)]'
              : 'h-7 rounded-2 px-2.5 aria-[current]:bg-press aria-[current]:text-ink phone:h-9',
          )}
        >
          {text}
          {count !== undefined && <span className="font-normal text-ink-3">{count}</span>}
        </a>
      ))}
    </nav>
  );
}
