import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { classes } from './classes';
import { Icon } from './Icon';
import { Key } from './Key';

/** After the last key, before the list is asked: typing stays smooth, and few calls are wasted. */
const PAUSE_MS = 200;

/** Finds in this list. `/` focuses it; Esc empties it, then leaves. */
export function SearchField({ label, value, onSearch, className }: { label: string; value: string; onSearch: (text: string) => void; className?: string }) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onSearch(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label className={classes('flex h-control w-[260px] min-w-0 items-center gap-2 rounded-2 border border-line-2 bg-paper px-2.5 text-ink-3 focus-within:border-mail focus-within:ring-3 focus-within:ring-mail-100 phone:w-auto phone:flex-1', className)}>
      <Icon of={Search} small />
      <input
        ref={input}
        type="text"
        role="searchbox"
        data-find
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (text) setText('');
          else input.current?.blur();
        }}
        className="w-full min-w-0 flex-1 border-0 bg-transparent p-0 text-ink outline-none shadow-none! phone:text-16"
      />
      <Key className="phone:hidden">/</Key>
    </label>
  );
}
