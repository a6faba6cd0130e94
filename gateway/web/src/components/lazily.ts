import { lazy } from 'react';
import type { ComponentType } from 'react';

/** A part of a screen whose file comes when it is first shown: for what most visits never open. */
export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async () => ({ default: await load() }));
}
