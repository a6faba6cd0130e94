/** Keys: single ones rest while a field has focus, and can be turned off (WCAG 2.1.4). */

import { useEffect, useRef } from 'react';

const STORED = 'maillane.keys';
/** Between G and the letter that says where to. */
const CHORD_MS = 1200;

export function singleKeysOn(): boolean {
  return localStorage.getItem(STORED) !== 'off';
}

export function setSingleKeys(on: boolean): void {
  if (on) localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, 'off');
}

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Acts on keys by name: "c", "?", "g s" (one after the other), "mod+k" (⌘ or Ctrl). */
export function useKeys(keys: Keys, enabled = true): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!enabled) return undefined;
    let first: { key: string; at: number } | undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const modified = event.metaKey || event.ctrlKey;
      if (event.altKey || (!modified && (typing(event.target) || (event.key.length === 1 && !singleKeysOn())))) return;
      const name = modified ? `mod+${event.key.toLowerCase()}` : event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const chord = first && event.timeStamp - first.at < CHORD_MS ? `${first.key} ${name}` : undefined;
      first = !modified && event.key.length === 1 ? { key: name, at: event.timeStamp } : undefined;
      const act = (chord && latest.current[chord]) || (chord?.startsWith('g ') ? undefined : latest.current[name]);
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [enabled]);
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !target.matches('[type=checkbox], [type=radio]');
}

/** ⌘ on a Mac, Ctrl elsewhere. */
export const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl';
