import { useLayoutEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { clock } from '../words/time';
import { classes } from './classes';
import { LaneTrack } from './LaneTrack';
import { emailsPerMark, ticks } from './lanes';
import type { Road, Run, Wait } from './lanes';

export interface Lane {
  id: string;
  name: ReactNode;
  runs: readonly Run[];
  waits: readonly Wait[];
  /** State until when, then the reason. */
  state: string;
  why: string;
  tone?: 'plain' | 'park' | 'fail';
  label: string;
}

const STATES = { plain: 'text-ink', park: 'text-park-ink', fail: 'text-fail-ink' } as const;

/** A label of the axis nearer to "now" than this would touch it. */
const LABEL_PX = 38;

const COLUMNS = 'grid grid-cols-[176px_minmax(0,1fr)_var(--what)] items-center gap-x-5 phone:grid-cols-1';

/** Lanes under one axis, with one line "now" through all of them. */
export function Lanes({ lanes, road, height = 28, what = '216px', onScale }: { lanes: readonly Lane[]; road: Road; height?: number; what?: string; onScale?: (perMark: number) => void }) {
  const axis = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = axis.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth || 600));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const perMark = emailsPerMark(
    lanes.map((lane) => lane.runs),
    road,
    width,
  );
  useLayoutEffect(() => onScale?.(perMark), [perMark]);
  const nowX = ((road.now - road.from) / (road.until - road.from)) * 100;
  return (
    <div className="relative px-4 pt-3 pb-2.5" style={{ '--what': what } as React.CSSProperties}>
      <div className={COLUMNS}>
        <span className="phone:hidden" />
        <div ref={axis} aria-hidden="true" className="relative h-5.5 text-11 text-ink-3">
          {ticks(road)
            .filter(({ x }) => (Math.abs(x - nowX) / 100) * width > LABEL_PX)
            .map(({ at, x }, place) => (
              <span key={at} className={classes('absolute', place % 2 === 1 && 'phone:hidden', x < 3 ? '' : x > 97 ? '-translate-x-full' : '-translate-x-1/2')} style={{ left: `${x}%` }}>
                {clock(new Date(at))}
              </span>
            ))}
          <span className="absolute -translate-x-1/2 font-semibold text-ink" style={{ left: `${nowX}%` }}>
            now
          </span>
        </div>
        <span className="phone:hidden" />
      </div>
      {lanes.map((lane) => (
        <div key={lane.id} className={classes(COLUMNS, 'phone:gap-y-1 phone:py-1.5')}>
          <div className="min-w-0">{lane.name}</div>
          <div className="relative grid content-center self-stretch py-[7px]">
            <LaneTrack {...road} runs={lane.runs} waits={lane.waits} perMark={perMark} height={height} label={lane.label} />
            <NowLine x={nowX} className="-top-px -bottom-px phone:top-1 phone:bottom-1" />
          </div>
          <div className="text-12 text-ink-2">
            <span className={classes('block font-medium', STATES[lane.tone ?? 'plain'])}>{lane.state}</span>
            {lane.why}
          </div>
        </div>
      ))}
    </div>
  );
}

export function NowLine({ x, className }: { x: number; className?: string }) {
  return <i aria-hidden="true" className={classes('pointer-events-none absolute w-0 border-l-[1.5px] border-ink', className)} style={{ left: `${x}%` }} />;
}

export function LanesLegend({ perMark }: { perMark: number }) {
  return (
    <div className="flex flex-wrap gap-x-4 gap-y-1 text-12 text-ink-3">
      <Key look="bg-mail-400" text="left" />
      <Key look="bg-mail-50 shadow-[inset_0_0_0_1.2px_var(--color-mail-400)]" text="planned" />
      <Key look="hatch-park" text="parked now" />
      <Key look="hatch-wait" text="will wait" />
      <span>{perMark === 1 ? 'one mark = 1 email' : `one mark = ${perMark} emails`}</span>
    </div>
  );
}

export function Key({ look, text }: { look: string; text: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <i className={classes('size-2.5 flex-none rounded-[2.5px]', look)} />
      {text}
    </span>
  );
}
