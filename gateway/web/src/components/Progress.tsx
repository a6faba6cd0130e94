import type { Counts } from '../api/types';
import { count } from '../words/number';
import { classes } from './classes';

const PARTS = [
  ['sent', 'bg-mail', 'sent'],
  ['failed', 'bg-fail', 'failed'],
  ['unconfirmed', 'bg-unsure', 'unconfirmed'],
  ['suppressed', 'bg-ink-4', 'suppressed'],
  ['cancelled', 'bg-ink-4', 'cancelled'],
  ['sending', 'bg-mail-100', 'sending'],
  ['pending', 'bg-track', 'to go'],
] as const;

/** What became of a campaign's messages, as one bar: a part of one is seen too. */
export function Progress({ counts, big = false }: { counts: Counts; big?: boolean }) {
  const parts = PARTS.filter(([name]) => counts[name] > 0);
  const said = parts.map(([name, , word]) => `${count(counts[name])} ${word}`).join(', ');
  return (
    <div role="img" aria-label={said || 'no recipients'} className={classes('flex gap-0.5', big ? 'h-2.5' : 'h-1.5')}>
      {parts.length === 0 && <i className="flex-1 rounded-1 bg-track" />}
      {parts.map(([name, colour]) => (
        <i key={name} className={classes('min-w-[3px] rounded-1 transition-[flex-grow] duration-[var(--time-3)]', colour)} style={{ flexGrow: counts[name], flexBasis: 0 }} />
      ))}
    </div>
  );
}
