import { exact } from '../words/time';

/** An instant in words; the exact one, with its zone, on hover and for programs. */
export function Time({ at, text, className }: { at: Date; text: string; className?: string }) {
  return (
    <time dateTime={at.toISOString()} title={exact(at)} className={className}>
      {text}
    </time>
  );
}
