import { useEffect, useState } from 'react';
import type { RefObject } from 'react';
import { NAME, UNSUBSCRIBE } from '../../../compose/template';
import { VariableChip } from '../../../components/Chip';
import { classes } from '../../../components/classes';

/** What opened the list: a brace in the text, and where it stands. */
export interface Trigger {
  from: number;
  to: number;
  typed: string;
  /** In px, from the editor's corner. */
  left: number;
  top: number;
}

interface VariableListProps {
  id: string;
  trigger: Trigger;
  variables: readonly string[];
  /** The editor, which keeps the focus, asks this for each key first. */
  keys: RefObject<(event: KeyboardEvent) => boolean>;
  onPick: (name: string) => void;
  onClose: () => void;
}

/** More do not fit; typing narrows them down. */
const MOST = 8;

export function VariableList({ id, trigger, variables, keys, onPick, onClose }: VariableListProps) {
  const [at, setAt] = useState(0);
  const offered = offer(variables, trigger.typed);
  const current = Math.min(at, offered.length - 1);
  useEffect(() => {
    keys.current = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const picked = offered[current];
      if (step && offered.length > 0) setAt((current + step + offered.length) % offered.length);
      else if ((event.key === 'Enter' || event.key === 'Tab') && picked && !event.metaKey && !event.ctrlKey) onPick(picked);
      else if (event.key === 'Escape') onClose();
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    };
    return () => {
      keys.current = () => false;
    };
  });
  if (offered.length === 0) return null;
  return (
    <div id={id} role="listbox" aria-label="Variables" className="absolute z-20 grid min-w-52 gap-0.5 rounded-[9px] bg-raised p-1.5 shadow-2" style={{ left: `min(${trigger.left}px, calc(100% - 208px))`, top: trigger.top + 4 }}>
      {offered.map((name, place) => (
        <button
          key={name}
          type="button"
          role="option"
          aria-selected={place === current}
          tabIndex={-1}
          onMouseDown={(event) => (event.preventDefault(), onPick(name))}
          className={classes('flex h-8 items-center gap-2 rounded-2 px-2 text-left hover:bg-hover', place === current && 'bg-hover')}
        >
          <VariableChip name={name} />
          {!variables.includes(name) && <small className="text-12 text-ink-3">{name === UNSUBSCRIBE ? 'the link that ends mail' : 'no column has it yet'}</small>}
        </button>
      ))}
      <span className="sr-only" aria-live="polite">
        {offered[current]}, {current + 1} of {offered.length}
      </span>
    </div>
  );
}

function offer(variables: readonly string[], typed: string): string[] {
  const like = typed.toLowerCase();
  const found = [...variables, ...(variables.includes(UNSUBSCRIBE) ? [] : [UNSUBSCRIBE])].filter((name) => name.toLowerCase().includes(like));
  const isNew = NAME.test(typed) && !found.includes(typed);
  return [...found.slice(0, MOST - Number(isNew)), ...(isNew ? [typed] : [])];
}
