import { CornerDownLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes';

/** A key of the keyboard. */
export function Key({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <kbd className={classes('inline-block h-[18px] min-w-[18px] rounded-[4px] border border-line-2 bg-paper px-1 text-center font-sans text-11 leading-4 text-ink-2', className)}>
      {children}
    </kbd>
  );
}

/** The key ↵ as a shape: not every font has its character. */
export function EnterShape() {
  return (
    <>
      <CornerDownLeft aria-hidden="true" strokeWidth={1.75} className="inline size-3 align-[-1.5px]" />
      <span className="sr-only">Enter</span>
    </>
  );
}
