import type { ReactNode } from 'react';
import { classes } from './classes';
import { StateMark } from './StateMark';
import type { Mark } from './StateMark';

/** A campaign's state beside its name. */
export function Badge({ mark, children, active = false }: { mark: Mark; children: ReactNode; active?: boolean }) {
  return (
    <span className={classes('inline-flex h-6 flex-none items-center gap-1.5 self-center rounded-full border pr-2.25 pl-1.75 text-12 font-medium whitespace-nowrap', active ? 'border-mail-200 bg-mail-50 text-mail-ink' : 'border-line-2')}>
      <StateMark mark={mark} />
      {children}
    </span>
  );
}
