import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Link } from 'react-router';
import { classes } from './classes';
import { Ring } from './Ring';

type Kind = 'default' | 'primary' | 'quiet' | 'danger' | 'solid-danger';

const KINDS: Readonly<Record<Kind, string>> = {
  default: 'border-line-2 bg-paper shadow-1 enabled:hover:bg-hover enabled:active:bg-press [&_svg]:text-ink-2',
  primary: 'border-ink bg-ink text-on-ink shadow-1 enabled:hover:opacity-90',
  quiet: 'border-transparent text-ink-2 enabled:hover:bg-hover enabled:hover:text-ink',
  danger: 'border-line-2 bg-paper text-fail-ink shadow-1 enabled:hover:bg-hover',
  'solid-danger': 'border-danger bg-danger text-letter enabled:hover:opacity-90',
};

const SIZES = {
  small: 'h-control-small px-2.25 text-12',
  normal: 'h-control px-3',
  big: 'h-[42px] px-4 text-14 gap-2.5',
} as const;

const ALL =
  'inline-flex items-center justify-center gap-1.75 rounded-2 border font-medium whitespace-nowrap transition-colors duration-[var(--time-1)] disabled:opacity-50 disabled:cursor-not-allowed';

interface Look {
  kind?: Kind;
  size?: keyof typeof SIZES;
  /** A square of an icon alone; it needs an aria-label. */
  square?: boolean;
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Look {
  icon?: ReactNode;
  /** A ring takes the icon's place; the label and the width stay. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind, size, square, icon, busy = false, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" className={classes(look({ kind, size, square }), className)} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {busy ? <Ring /> : icon}
      {children}
    </button>
  );
}

/** A link that looks like a button: it leads somewhere, and opens in a new tab where that is asked for. */
export function ButtonLink({ to, icon, children, className, ...given }: Look & { to: string; icon?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <Link to={to} className={classes(look(given), 'hover:bg-hover', className)}>
      {icon}
      {children}
    </Link>
  );
}

function look({ kind = 'default', size = 'normal', square = false }: Partial<Record<keyof Look, unknown>> & Look): string {
  const width = square && (size === 'small' ? 'w-control-small px-0!' : 'w-control px-0!');
  return classes(ALL, KINDS[kind], SIZES[size], width);
}
