import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Icon } from './Icon';

/** A mailbox or an address that was picked; × takes it out. */
export function Chip({ letter, children, fact, onRemove, label }: { letter?: string; children: ReactNode; fact?: ReactNode; onRemove?: () => void; label: string }) {
  return (
    <span className="inline-flex h-6.5 max-w-full items-center gap-1.5 rounded-2 bg-hover pr-1 pl-1.5 whitespace-nowrap shadow-[inset_0_0_0_1px_var(--color-line)] phone:h-9">
      {letter && (
        <span aria-hidden="true" className="grid size-4.5 place-items-center rounded-[5px] bg-press text-[10px] leading-none text-ink-2 uppercase">
          {letter}
        </span>
      )}
      <span className="min-w-0 truncate">{children}</span>
      {fact && <small className="text-12 text-ink-3">{fact}</small>}
      {onRemove && (
        <button type="button" aria-label={`Remove ${label}`} onClick={onRemove} className="grid size-6 place-items-center rounded-[4px] text-ink-3 hover:bg-press hover:text-ink">
          <Icon of={X} small />
        </button>
      )}
    </span>
  );
}

/** A variable of a template, with its fallback. */
export function VariableChip({ name, fallback }: { name: string; fallback?: string | undefined }) {
  return (
    <span className="inline-flex h-5 items-center rounded-[4px] bg-mail-50 px-1.5 text-[0.92em] whitespace-nowrap text-mail-ink shadow-[inset_0_0_0_1px_var(--color-mail-200)]">
      {name}
      {fallback !== undefined && <small className="ml-1.25 border-l border-mail-200 pl-1.25 opacity-85">{fallback}</small>}
    </span>
  );
}
