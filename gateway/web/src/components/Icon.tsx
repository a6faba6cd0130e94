import type { LucideIcon } from 'lucide-react';
import { classes } from './classes';

/** An icon of 16 px, or 14 in small places; decoration: what it means is said beside it, or by a label. */
export function Icon({ of: Shape, small = false, className }: { of: LucideIcon; small?: boolean; className?: string }) {
  return <Shape aria-hidden="true" strokeWidth={1.5} className={classes(small ? 'size-3.5' : 'size-4', 'flex-none', className)} />;
}

/** Lanes: the product's own glyph. */
export function LanesIcon({ className, small = false }: { className?: string; small?: boolean }) {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={classes(small ? 'size-3.5' : 'size-4', 'flex-none', className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
    >
      <path d="M2 4h5.5M10.5 4H14M2 8h2M7 8h7M2 12h8M13 12h1" />
    </svg>
  );
}
