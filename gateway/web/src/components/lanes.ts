/** The arithmetic of lanes: which marks stand where, in percent of the road. */

export type RunKind = 'left' | 'planned' | 'unsure' | 'failed';

/** Emails at an even pace. Instants and gaps in ms. */
export interface Run {
  start: number;
  count: number;
  gap: number;
  kind: RunKind;
}

export interface Wait {
  from: number;
  until: number;
  reason: string;
}

export interface Road {
  from: number;
  until: number;
  now: number;
}

export interface MarkAt {
  /** In percent from the left. */
  x: number;
  kind: RunKind | 'fresh';
}

/** Marks nearer than this, in px, run into each other. */
const APART_PX = 5;
/** A burst is narrower than its marks, whatever one stands for: the longest lane keeps about so many. */
const FEWEST_MARKS = 8;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/** What left so lately is drawn solid in full colour. */
const FRESH_MS = 3 * 60_000;
/** More are never drawn, whatever the width. */
const MOST_MARKS = 600;

/** How many emails one mark is, so that the densest lane's marks are about 5 px apart or more. */
export function emailsPerMark(lanes: readonly (readonly Run[])[], { from, until }: Road, widthPx: number): number {
  const pxPerMs = widthPx / (until - from);
  const gaps = lanes.flatMap((runs) => [...runs.filter((run) => run.count > 1).map((run) => run.gap), usualGap(runs)]);
  const dense = Math.max(0, ...gaps.map((gap) => APART_PX / (Math.max(gap, 1) * pxPerMs)));
  const longest = Math.max(1, ...lanes.map((runs) => runs.reduce((sum, run) => sum + run.count, 0)));
  const wanted = Math.min(dense, longest / FEWEST_MARKS);
  return STEPS.find((step) => step >= wanted) ?? STEPS.at(-1) ?? 1;
}

/** The usual time between two of those that left one by one: a short burst does not thin out a whole lane. */
function usualGap(runs: readonly Run[]): number {
  const starts = runs.filter(isSingle).map((run) => run.start).sort((one, other) => one - other);
  const gaps = starts.slice(1).map((start, place) => start - (starts[place] ?? start)).sort((one, other) => one - other);
  return gaps[Math.floor(gaps.length / 4)] ?? Number.POSITIVE_INFINITY;
}

function isSingle(run: Run): boolean {
  return run.kind === 'left' && run.count === 1;
}

/** The marks of a lane, what failed and what is unconfirmed last, so that it is drawn on top. */
export function marksOf(runs: readonly Run[], { from, until, now }: Road, perMark: number): MarkAt[] {
  const marks: MarkAt[] = [];
  const singles = thinned(runs.filter(isSingle), perMark);
  for (const run of [...singles, ...runs.filter((each) => !isSingle(each))]) {
    const per = run.kind === 'left' || run.kind === 'planned' ? perMark : 1;
    for (let nth = 0; nth < run.count && marks.length < MOST_MARKS; nth += per) {
      const at = run.start + nth * run.gap;
      if (at >= until) break;
      if (at < from) continue;
      marks.push({ x: ((at - from) / (until - from)) * 100, kind: run.kind === 'left' && at > now - FRESH_MS ? 'fresh' : run.kind });
    }
  }
  const onTop = (mark: MarkAt) => Number(mark.kind === 'unsure' || mark.kind === 'failed');
  return marks.sort((one, other) => onTop(one) - onTop(other));
}

/** A stretch of the road, in percent; undefined: it lies outside. */
export function stretch({ from, until }: Pick<Wait, 'from' | 'until'>, road: Road): { x: number; width: number } | undefined {
  const begin = Math.max(from, road.from);
  const end = Math.min(until, road.until);
  if (end <= begin) return undefined;
  const share = 100 / (road.until - road.from);
  return { x: (begin - road.from) * share, width: (end - begin) * share };
}

/** Single instants as runs of one. */
export function runsOf(instants: readonly number[], kind: RunKind): Run[] {
  return instants.map((start) => ({ start, count: 1, gap: 0, kind }));
}

/** Of what left one by one, every n-th: the same scale as the marks of a run. */
function thinned(runs: readonly Run[], perMark: number): Run[] {
  return [...runs].sort((one, other) => one.start - other.start).filter((_, place) => place % perMark === 0);
}

/** The half hours on the axis. */
export function ticks({ from, until }: Road, everyMs = 30 * 60_000): { at: number; x: number }[] {
  const first = Math.ceil(from / everyMs) * everyMs;
  const found = [];
  for (let at = first; at <= until; at += everyMs) found.push({ at, x: ((at - from) / (until - from)) * 100 });
  return found;
}
