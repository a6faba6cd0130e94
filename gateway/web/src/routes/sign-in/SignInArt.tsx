import { NowLine } from '../../components/Lanes';
import { LaneTrack } from '../../components/LaneTrack';
import type { Run, Wait } from '../../components/lanes';

const MINUTE = 60_000;
const NOW = 50 * MINUTE;
const ROAD = { from: 0, until: 97 * MINUTE, now: NOW };

const left = (from: number, count: number, gap: number): Run => ({ start: from * MINUTE, count, gap: gap * MINUTE, kind: 'left' });
const planned = (from: number, count: number, gap: number): Run => ({ start: from * MINUTE, count, gap: gap * MINUTE, kind: 'planned' });
const wait = (from: number, until: number): Wait => ({ from: from * MINUTE, until: until * MINUTE, reason: '' });

const LANES: readonly { runs: Run[]; waits: Wait[] }[] = [
  { runs: [left(5, 25, 1.8), planned(51, 10, 1.8)], waits: [wait(69, 88)] },
  { runs: [left(12, 25, 1.55), planned(51, 30, 1.55)], waits: [] },
  { runs: [left(3, 11, 2.8), planned(64, 12, 2.8)], waits: [wait(36, 63)] },
  { runs: [left(49.4, 1, 1), planned(51, 29, 1.6)], waits: [] },
  { runs: [left(0.5, 10, 2), left(27, 12, 2), planned(51, 16, 2)], waits: [] },
  { runs: [left(20, 10, 3), planned(51, 10, 3.1)], waits: [wait(83, 97)] },
];

/** What the product is, as a picture. */
export function SignInArt() {
  return (
    <aside className="relative flex flex-col justify-center overflow-hidden border-l border-line bg-desk py-10 max-[900px]:hidden">
      <div aria-hidden="true" className="relative -mr-15 ml-14 grid gap-3.5 pt-6.5">
        {LANES.map(({ runs, waits }, place) => (
          <LaneTrack key={place} {...ROAD} runs={runs} waits={waits} height={42} label="" />
        ))}
        <span className="absolute top-0 -translate-x-1/2 text-11 font-semibold" style={{ left: `${(NOW / ROAD.until) * 100}%` }}>
          now
        </span>
        <NowLine x={(NOW / ROAD.until) * 100} className="top-[22px] -bottom-1.5" />
      </div>
      <div className="mx-14 mt-13 max-w-[440px] text-14 text-ink-2">
        <p className="mb-1.5 text-20 font-semibold tracking-[-0.02em] text-ink">Every mailbox is a lane.</p>
        <p>Each email waits in its lane and leaves when it is due: in order, within the limits of its mailbox, once. And when one waits, it says why, and until when.</p>
      </div>
    </aside>
  );
}
