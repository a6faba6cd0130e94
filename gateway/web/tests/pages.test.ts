import { describe, expect, it } from 'vitest';
import { firstPage, isDeep } from '../src/api/queries';

const pages = (count: number) => ({ pages: Array.from({ length: count }, (_, page) => page), pageParams: Array.from({ length: count }, (_, page) => String(page)) });

describe('a list that was read far down', () => {
  it('is deep from its fourth page on, and nothing else is', () => {
    expect([1, 3, 4].map((count) => isDeep({ state: { data: pages(count) } }))).toEqual([false, false, true]);
    expect(isDeep({ state: {} })).toBe(false);
    expect(isDeep({ state: { data: { decisions: 4 } } })).toBe(false);
  });

  it('keeps its first page when it is left', () => {
    expect(firstPage(pages(9))).toEqual({ pages: [0], pageParams: ['0'] });
    expect(firstPage(undefined)).toBeUndefined();
  });
});
