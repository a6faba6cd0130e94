import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes';
import { Icon } from './Icon';

const TONES = {
  plain: 'bg-hover text-ink-2',
  park: 'bg-park-bg text-ink-2 [&>svg]:text-park',
  fail: 'bg-fail-bg text-ink-2 [&>svg]:text-fail',
  unsure: 'bg-unsure-bg text-ink-2 [&>svg]:text-unsure',
  pass: 'bg-pass-bg text-ink-2 [&>svg]:text-pass',
} as const;

/** A fact in place: bold for the fact itself, then what it means. */
export function Note({ tone = 'plain', icon, children, className }: { tone?: keyof typeof TONES; icon?: LucideIcon; children: ReactNode; className?: string }) {
  return (
    <div role={tone === 'fail' ? 'alert' : undefined} className={classes('flex gap-2.5 rounded-[8px] px-3 py-2.5 leading-[19px] [&_b]:text-ink', TONES[tone], className)}>
      {icon && <Icon of={icon} className="mt-0.5" />}
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}
