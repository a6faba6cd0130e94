import type { ReactNode } from 'react';
import { classes } from './classes';

/** A state's shape; its colour is the mark's, its word stands beside it. */
export type Mark =
  | 'pending'
  | 'sending'
  | 'sent'
  | 'failed'
  | 'unsure'
  | 'suppressed'
  | 'cancelled'
  | 'parked'
  | 'draft'
  | 'scheduled'
  | 'paused'
  | 'done'
  | 'pass';

const COLOURS: Readonly<Record<Mark, string>> = {
  pending: 'text-ink-3',
  sending: 'text-mail',
  sent: 'text-mail',
  failed: 'text-fail',
  unsure: 'text-unsure',
  suppressed: 'text-ink-3',
  cancelled: 'text-ink-3',
  parked: 'text-park',
  draft: 'text-ink-3',
  scheduled: 'text-ink-3',
  paused: 'text-ink-3',
  done: 'text-ink-3',
  pass: 'text-pass',
};

const ring = <circle cx="7" cy="7" r="5.25" />;
const disc = <circle cx="7" cy="7" r="6" fill="currentColor" stroke="none" />;
const tick = 'm4.3 7.2 1.9 1.9 3.6-4';
const cut = (d: string) => <path d={d} stroke="var(--mark-cut, var(--color-paper))" strokeWidth="1.6" />;

const SHAPES: Readonly<Record<Mark, ReactNode>> = {
  pending: ring,
  sending: (
    <>
      <circle cx="7" cy="7" r="5.25" opacity=".28" />
      <g className="turning">
        <circle cx="7" cy="7" r="5.25" stroke="none" />
        <path d="M7 1.75a5.25 5.25 0 0 1 5.25 5.25" />
      </g>
    </>
  ),
  sent: (
    <>
      {disc}
      {cut(tick)}
    </>
  ),
  failed: (
    <>
      {disc}
      {cut('m4.9 4.9 4.2 4.2M9.1 4.9 4.9 9.1')}
    </>
  ),
  unsure: (
    <>
      <circle cx="7" cy="7" r="5.25" strokeDasharray="2 2.1" />
      <path d="M5.5 5.7c0-1 .7-1.6 1.6-1.6s1.5.6 1.5 1.4c0 1.2-1.5 1.2-1.5 2.3M7.1 9.6v.1" />
    </>
  ),
  suppressed: (
    <>
      {ring}
      <path d="m3.4 3.4 7.2 7.2" />
    </>
  ),
  cancelled: (
    <>
      {ring}
      <path d="m5.2 5.2 3.6 3.6M8.8 5.2 5.2 8.8" />
    </>
  ),
  parked: (
    <>
      {disc}
      {cut('M5.4 4.7v4.6M8.6 4.7v4.6')}
    </>
  ),
  draft: <circle cx="7" cy="7" r="5.25" strokeDasharray="2 2.1" />,
  scheduled: (
    <>
      {ring}
      <path d="M7 4.2V7l1.8 1.2" />
    </>
  ),
  paused: (
    <>
      {ring}
      <path d="M5.7 5v4M8.3 5v4" />
    </>
  ),
  done: (
    <>
      {ring}
      <path d="m4.6 7.2 1.7 1.7 3.1-3.5" />
    </>
  ),
  pass: (
    <>
      {disc}
      {cut(tick)}
    </>
  ),
};

export function StateMark({ mark, className }: { mark: Mark; className?: string }) {
  return (
    <svg
      viewBox="0 0 14 14"
      aria-hidden="true"
      className={classes('size-3.5 flex-none', COLOURS[mark], className)}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {SHAPES[mark]}
    </svg>
  );
}

export type Tone = 'plain' | 'mail' | 'park' | 'fail' | 'unsure';

export const TONES: Readonly<Record<Tone, string>> = {
  plain: '',
  mail: '',
  park: 'text-park-ink',
  fail: 'text-fail-ink',
  unsure: 'text-unsure-ink',
};

/** Shape, colour and word together: always all three, and whole, on a second line where there is no room. */
export function State({ mark, tone = 'plain', children }: { mark: Mark; tone?: Tone; children: ReactNode }) {
  return (
    <span className={classes('inline-flex max-w-full items-center gap-1.5 align-middle', TONES[tone])}>
      <StateMark mark={mark} />
      <span className="line-clamp-2 min-w-0 leading-[18px] break-words whitespace-normal">{children}</span>
    </span>
  );
}
