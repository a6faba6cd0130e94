import { describe, expect, it } from 'vitest';
import { emailsPerMark, marksOf, stretch, ticks } from '../src/components/lanes';
import type { Run } from '../src/components/lanes';

const MINUTE = 60_000;
const ROAD = { from: 0, until: 180 * MINUTE, now: 68 * MINUTE };
const planned = (start: number, count: number, gap: number): Run => ({ start: start * MINUTE, count, gap, kind: 'planned' });

describe('lanes', () => {
  it('put a mark where its time is', () => {
    expect(marksOf([planned(90, 2, 45 * MINUTE)], ROAD, 1).map(({ x }) => x)).toEqual([50, 75]);
  });

  it('draw every n-th email where one mark is n', () => {
    expect(marksOf([planned(70, 10, MINUTE)], ROAD, 5)).toHaveLength(2);
  });

  it('leave out what lies beyond the road', () => {
    expect(marksOf([planned(170, 100, MINUTE)], ROAD, 1)).toHaveLength(10);
  });

  it('draw what failed on top, and each of it', () => {
    const failed: Run = { start: 10 * MINUTE, count: 1, gap: 0, kind: 'failed' };

    expect(marksOf([failed, planned(70, 4, MINUTE)], ROAD, 2).map(({ kind }) => kind)).toEqual(['planned', 'planned', 'failed']);
  });

  it('choose n so that marks are 5 px apart at least', () => {
    // 600 px for three hours: a minute is 3.3 px.
    expect(emailsPerMark([[planned(70, 40, MINUTE)]], ROAD, 600)).toBe(2);
    expect(emailsPerMark([[planned(70, 400, 10_000)]], ROAD, 600)).toBe(10);
    expect(emailsPerMark([[planned(70, 4, 5 * MINUTE)]], ROAD, 600)).toBe(1);
  });

  it('keep some marks of a burst, however dense it is', () => {
    expect(emailsPerMark([[planned(70, 160, 1)]], ROAD, 600)).toBe(20);
  });

  it('cut a wait at the ends of the road', () => {
    expect(stretch({ from: -MINUTE, until: 90 * MINUTE }, ROAD)).toEqual({ x: 0, width: 50 });
    expect(stretch({ from: 181 * MINUTE, until: 200 * MINUTE }, ROAD)).toBeUndefined();
  });

  it('mark the half hours', () => {
    expect(ticks(ROAD).map(({ x }) => Math.round(x))).toEqual([0, 17, 33, 50, 67, 83, 100]);
  });
});
