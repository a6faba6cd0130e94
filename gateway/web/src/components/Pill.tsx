import { ChevronDown } from 'lucide-react';
import { classes } from './classes';
import { Icon } from './Icon';

/** A filter: what it filters by, and its value; a select underneath, so that every keyboard knows it. */
export function FilterPill({ name, value, options, onPick }: { name: string; value: string; options: readonly { value: string; text: string }[]; onPick: (value: string) => void }) {
  const chosen = options.find((option) => option.value === value);
  return (
    <label className={classes('relative inline-flex h-7 flex-none items-center gap-1.5 rounded-2 border border-line-2 px-2.5 text-12 whitespace-nowrap has-focus-visible:shadow-focus hover:bg-hover phone:h-9', value ? 'bg-hover text-ink' : 'text-ink-2')}>
      {name}
      <strong className="max-w-40 truncate">{chosen?.text ?? 'any'}</strong>
      <Icon of={ChevronDown} small />
      <select aria-label={name} value={value} onChange={(event) => onPick(event.target.value)} className="absolute inset-0 cursor-pointer appearance-none bg-paper opacity-0">
        <option value="">any</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}
