import { useId } from 'react';
import type { InputHTMLAttributes, ReactNode, Ref, SelectHTMLAttributes } from 'react';
import { classes } from './classes';

interface Labelled {
  label: string;
  hint?: ReactNode;
  /** Shown in the hint's place. */
  error?: string | undefined;
}

export interface FieldProps extends InputHTMLAttributes<HTMLInputElement>, Labelled {
  /** At the right, inside: "an hour". */
  unit?: ReactNode;
  ref?: Ref<HTMLInputElement>;
}

const BOX =
  'flex h-control min-w-0 items-center gap-2 rounded-2 border bg-paper px-2.5 focus-within:border-mail focus-within:ring-3 focus-within:ring-mail-100';

const INPUT = 'w-full min-w-0 flex-1 border-0 bg-transparent p-0 outline-none shadow-none! phone:text-16';

export function Field({ label, hint, error, unit, className, id, ref, ...rest }: FieldProps) {
  const own = useId();
  const input = id ?? own;
  const about = error || hint ? `${input}-about` : undefined;
  return (
    <div className={className}>
      <Label of={input}>{label}</Label>
      <span className={classes(BOX, error ? 'border-fail' : 'border-line-2')}>
        <input id={input} ref={ref} className={INPUT} aria-invalid={error ? true : undefined} aria-describedby={about} {...rest} />
        {unit && <span className="flex-none whitespace-nowrap text-ink-3">{unit}</span>}
      </span>
      <Hint id={about} hint={hint} error={error} />
    </div>
  );
}

export function SelectField({ label, hint, error, children, className, ...rest }: SelectHTMLAttributes<HTMLSelectElement> & Labelled) {
  const id = useId();
  const about = error || hint ? `${id}-about` : undefined;
  return (
    <div className={className}>
      <Label of={id}>{label}</Label>
      <span className={classes(BOX, error ? 'border-fail' : 'border-line-2')}>
        <select id={id} className={classes(INPUT, 'h-full bg-paper')} aria-describedby={about} {...rest}>
          {children}
        </select>
      </span>
      <Hint id={about} hint={hint} error={error} />
    </div>
  );
}

export function Label({ of, children }: { of: string; children: ReactNode }) {
  return (
    <label htmlFor={of} className="mb-1.5 block text-12 font-medium text-ink-2">
      {children}
    </label>
  );
}

export function Hint({ id, hint, error }: { id?: string | undefined; hint?: ReactNode; error?: string | undefined }) {
  if (!hint && !error) return null;
  return (
    <p id={id} className={classes('mt-1.5 text-12', error ? 'text-fail-ink' : 'text-ink-3')}>
      {error || hint}
    </p>
  );
}

/** One of a few, side by side, as radio buttons. */
export function Picks<T extends string>({ label, value, of, onPick }: { label: string; value: T; of: readonly { key: T; text: ReactNode }[]; onPick: (key: T) => void }) {
  return (
    <div role="radiogroup" aria-label={label} className={classes('grid auto-cols-fr grid-flow-col gap-1.5', of.length > 3 && 'phone:grid-flow-row phone:grid-cols-2')}>
      {of.map(({ key, text }) => (
        <label
          key={key}
          className="flex h-control cursor-pointer items-center justify-center rounded-2 border border-line-2 font-medium hover:bg-hover has-checked:border-ink has-checked:shadow-[inset_0_0_0_1px_var(--color-ink)] has-focus-visible:shadow-focus"
        >
          <input type="radio" className="sr-only" name={label} checked={value === key} onChange={() => onPick(key)} />
          {text}
        </label>
      ))}
    </div>
  );
}

export function Check({ label, className, ...rest }: InputHTMLAttributes<HTMLInputElement> & { label: string }) {
  return (
    <input
      type="checkbox"
      aria-label={label}
      className={classes(
        'grid size-[15px] flex-none cursor-pointer appearance-none place-content-center rounded-[4px] border border-line-3 bg-paper align-middle checked:border-ink checked:bg-ink',
        "checked:after:h-1 checked:after:w-[7px] checked:after:-translate-y-px checked:after:-rotate-45 checked:after:border-b-[1.6px] checked:after:border-l-[1.6px] checked:after:border-on-ink checked:after:content-['']",
        className,
      )}
      {...rest}
    />
  );
}
