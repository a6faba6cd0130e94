import { useId } from 'react';
import { marksOf, stretch } from './lanes';
import type { MarkAt, Road, Run, Wait } from './lanes';

interface LaneTrackProps extends Road {
  runs: readonly Run[];
  waits: readonly Wait[];
  /** How many emails one mark is. */
  perMark?: number;
  height?: number;
  /** The sentence that says the same. */
  label: string;
}

const LOOKS: Readonly<Record<MarkAt['kind'], string>> = {
  left: 'fill-mail-400',
  fresh: 'fill-mail',
  planned: 'fill-paper stroke-mail-400',
  unsure: 'fill-paper stroke-unsure [stroke-width:1.5]',
  failed: 'fill-fail',
};

/** One mailbox over time: solid marks left, outlined ones are planned, hatch is a wait, the upright line its gate. */
export function LaneTrack({ runs, waits, perMark = 1, height = 28, label, ...road }: LaneTrackProps) {
  const id = useId();
  const [parked, waiting] = [`${id}p`, `${id}w`];
  const top = height / 2 - 6;
  return (
    <svg role="img" aria-label={label} height={height} className="block w-full overflow-visible">
      <defs>
        <Hatch id={parked} ground="fill-park-bg" line="stroke-park-line" />
        <Hatch id={waiting} ground="fill-track" line="stroke-line-2" />
      </defs>
      <rect className="fill-track" width="100%" height={height} rx="5" />
      <line className="stroke-line-2" strokeDasharray="6 6" x1="0" x2="100%" y1={height / 2} y2={height / 2} />
      {waits.map((wait) => {
        const at = stretch(wait, road);
        if (!at) return null;
        const isNow = wait.from <= road.now && road.now < wait.until;
        const end = at.x + at.width;
        return (
          <g key={`${wait.from}-${wait.until}`}>
            <rect x={`${at.x}%`} width={`${at.width}%`} height={height} fill={`url(#${isNow ? parked : waiting})`} />
            {wait.until <= road.until && (
              <line
                className={isNow ? 'stroke-park' : 'stroke-line-3'}
                strokeWidth={isNow ? 2.5 : 1.5}
                strokeLinecap="round"
                x1={`${end}%`}
                x2={`${end}%`}
                y1="1"
                y2={height - 1}
              />
            )}
          </g>
        );
      })}
      <g transform="translate(1 0)">
        {marksOf(runs, road, perMark).map((mark, place) => (
          <rect key={place} className={LOOKS[mark.kind]} x={`${mark.x}%`} y={top} width="3.5" height="12" rx="1.5" />
        ))}
      </g>
    </svg>
  );
}

function Hatch({ id, ground, line }: { id: string; ground: string; line: string }) {
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="6" height="6" className={ground} />
      <path d="M0 0v6" className={line} strokeWidth="1.4" />
    </pattern>
  );
}
