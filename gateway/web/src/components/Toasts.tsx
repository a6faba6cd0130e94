import { X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { Button } from './Button';
import { Icon } from './Icon';
import { StateMark } from './StateMark';
import type { Mark } from './StateMark';

export interface Toast {
  text: string;
  /** The grey line. */
  more?: string;
  mark?: Mark;
  action?: { text: string; run: () => void };
  /** Stays until it is closed, and is read out at once. */
  failed?: boolean;
}

const SHOWN_MS = 6000;
/** More at once are only a heap: the oldest goes. */
const MOST = 3;

let toasts: readonly (Toast & { id: number })[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: typeof toasts) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Shows a toast, from wherever something was done. */
export function toast(shown: Toast): void {
  const id = nextId++;
  set([...toasts, { ...shown, id }].slice(-MOST));
  if (!shown.failed) setTimeout(() => close(id), SHOWN_MS);
}

function close(id: number) {
  set(toasts.filter((each) => each.id !== id));
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    () => toasts,
  );
  return (
    <div aria-live="polite" className="fixed bottom-4 left-4 z-50 grid w-[380px] max-w-[calc(100vw-32px)] gap-2 phone:bottom-20">
      {shown.map(({ id, text, more, mark, action, failed }) => (
        <div key={id} role={failed ? 'alert' : undefined} className="flex min-h-10 items-center gap-2.5 rounded-[9px] bg-raised py-2 pr-2 pl-3 shadow-2">
          <StateMark mark={failed ? 'failed' : (mark ?? 'pass')} />
          <div className="min-w-0 flex-1 leading-[18px]">
            {text}
            {more && <small className="block text-12 text-ink-3">{more}</small>}
          </div>
          {action && (
            <Button kind="quiet" size="small" onClick={() => (close(id), action.run())}>
              {action.text}
            </Button>
          )}
          {(failed || !action) && <Button kind="quiet" size="small" square aria-label="Close" icon={<Icon of={X} small />} onClick={() => close(id)} />}
        </div>
      ))}
    </div>
  );
}
