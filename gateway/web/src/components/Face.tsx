import { useState } from 'react';
import { classes } from './classes';

/** An account's picture, or the first letters of its name. */
export function Face({ name, picture, small = false }: { name: string; picture?: string | undefined; small?: boolean }) {
  const [broken, setBroken] = useState(false);
  const size = small ? 'size-5 text-[8.5px]' : 'size-7.5 text-11';
  if (picture && !broken) {
    return <img src={picture} alt="" referrerPolicy="no-referrer" onError={() => setBroken(true)} className={classes('flex-none rounded-full object-cover', size)} />;
  }
  return (
    <span aria-hidden="true" className={classes('grid flex-none place-items-center rounded-full bg-face font-semibold tracking-wide text-face-ink', size)}>
      {initials(name)}
    </span>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s.@_-]+/).filter(Boolean);
  return ((words[0]?.[0] ?? '?') + (words[1]?.[0] ?? '')).toUpperCase();
}
