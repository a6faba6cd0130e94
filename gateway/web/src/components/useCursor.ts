import { useEffect, useState } from 'react';
import { useKeys } from '../shell/shortcuts';

/** The keyboard's place in a list: J, K and arrows move it, ↵ opens. -1: nowhere yet. */
export function useCursor(length: number, onOpen: (place: number) => void, enabled = true): number {
  const [cursor, setCursor] = useState(-1);
  useEffect(() => {
    if (cursor >= length) setCursor(length - 1);
  }, [length, cursor]);
  const move = (step: number) => {
    const next = Math.min(Math.max(cursor + step, 0), length - 1);
    setCursor(next);
    document.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  useKeys(
    {
      j: () => move(1),
      k: () => move(-1),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Enter: (event) => {
        // A link or button that has the focus keeps its own ↵.
        if (event.target instanceof HTMLElement && event.target.closest('a, button')) (event.target.closest('a, button') as HTMLElement).click();
        else if (cursor >= 0) onOpen(cursor);
      },
    },
    enabled && length > 0,
  );
  return cursor;
}
