import { useEffect, useId, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { classes } from './classes';

interface MenuProps {
  /** The button: its props make it open the menu. */
  button: (props: MenuButtonProps) => ReactNode;
  children: (close: () => void) => ReactNode;
  label: string;
  /** Where it opens. */
  place?: 'below-left' | 'below-right' | 'above-right';
}

export interface MenuButtonProps {
  id: string;
  onClick: () => void;
  'aria-haspopup': 'menu';
  'aria-expanded': boolean;
}

const PLACES = { 'below-left': 'top-full left-0 mt-1', 'below-right': 'top-full right-0 mt-1', 'above-right': 'bottom-full right-0 mb-1' } as const;

/** Actions behind a button: arrows step through them, Esc and a click elsewhere close it. */
export function Menu({ button, children, label, place = 'below-right' }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    document.getElementById(id)?.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    items(list.current)[0]?.focus();
    const outside = (event: MouseEvent) => !box.current?.contains(event.target as Node) && setOpen(false);
    document.addEventListener('mousedown', outside);
    return () => document.removeEventListener('mousedown', outside);
  }, [open]);
  return (
    <div ref={box} className="relative">
      {button({ id, onClick: () => setOpen(!open), 'aria-haspopup': 'menu', 'aria-expanded': open })}
      {open && (
        <div
          ref={list}
          role="menu"
          aria-label={label}
          onKeyDown={(event) => step(event, list.current, close)}
          className={classes('absolute z-40 grid min-w-48 rounded-[9px] bg-raised p-1.5 text-left shadow-2', PLACES[place])}
        >
          {children(close)}
        </div>
      )}
    </div>
  );
}

export function MenuItem({ icon, children, onSelect, danger = false, end, disabled = false }: { icon?: ReactNode; children: ReactNode; onSelect: () => void; danger?: boolean; end?: ReactNode; disabled?: boolean }) {
  return (
    <button
      type="button"
      role="menuitem"
      disabled={disabled}
      onClick={onSelect}
      className={classes('flex h-8 items-center gap-2.5 rounded-2 px-2.5 text-left whitespace-nowrap hover:bg-hover focus:bg-hover disabled:opacity-50 phone:h-10', danger && 'text-fail-ink')}
    >
      {icon}
      <span className="flex-1">{children}</span>
      {end}
    </button>
  );
}

export function MenuLine() {
  return <div role="separator" className="my-1 border-t border-line" />;
}

function step(event: KeyboardEvent, list: HTMLElement | null, close: () => void) {
  event.stopPropagation();
  const all = items(list);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    close();
  }
}

function items(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)') ?? [])];
}
