import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { Button } from '../../components/Button';
import { classes } from '../../components/classes';
import { Icon } from '../../components/Icon';
import { dayAt, instantOf, monthOf, wallOf } from '../../compose/starts';
import type { Wall } from '../../compose/starts';

const NAMES = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

interface CalendarProps {
  zone: string;
  at: Date;
  now: Date;
  onPick: (at: Date) => void;
  onClose: () => void;
}

/** A day of a month and a time of it, in a zone. Arrows move by days and weeks, Page Up and Down by months. */
export function Calendar({ zone, at, now, onPick, onClose }: CalendarProps) {
  const chosen = wallOf(at, zone);
  const today = wallOf(now, zone);
  const [cursor, setCursor] = useState<Wall>(chosen);
  const [month, setMonth] = useState({ year: chosen.year, month: chosen.month });
  const grid = useRef<HTMLTableElement>(null);
  const focus = () => requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
  useEffect(() => void focus(), []);
  const move = (days: number) => {
    const next = dayAt(cursor, days, 0);
    setCursor(next);
    setMonth({ year: next.year, month: next.month });
    focus();
  };
  const turn = (by: number) => {
    const first = new Date(Date.UTC(month.year, month.month - 1 + by, 1));
    setMonth({ year: first.getUTCFullYear(), month: first.getUTCMonth() + 1 });
    setCursor(wallOf(first, 'UTC'));
  };
  const pick = (day: Wall, hour = chosen.hour, minute = chosen.minute) => onPick(instantOf({ ...day, hour, minute }, zone));
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: -28, PageDown: 28 }[event.key];
    if (event.key === 'Escape') onClose();
    else if (by) move(by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div role="dialog" aria-label="Start at" className="mt-2 inline-block rounded-3 border border-line bg-raised p-3 shadow-2">
      <div className="mb-2 flex items-center gap-1">
        <span aria-live="polite" className="flex-1 pl-1.5 font-semibold">
          {NAMES[month.month - 1]} {month.year}
        </span>
        <Button kind="quiet" size="small" square aria-label="Month before" icon={<Icon of={ChevronLeft} small />} onClick={() => turn(-1)} />
        <Button kind="quiet" size="small" square aria-label="Next month" icon={<Icon of={ChevronRight} small />} onClick={() => turn(1)} />
      </div>
      <table ref={grid} role="grid" className="w-full" aria-label={`${NAMES[month.month - 1]} ${month.year}`} onKeyDown={onKey}>
        <thead>
          <tr className="text-12 text-ink-3">
            {WEEKDAYS.map((name) => (
              <th key={name} scope="col" abbr={name} className="size-8 font-normal">
                {name.slice(0, 2)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {monthOf(month.year, month.month, today).map((week, nth) => (
            <tr key={nth}>
              {week.map(({ wall, inMonth, isPast, isToday }) => {
                const isChosen = same(wall, chosen);
                return (
                  <td key={`${wall.month}-${wall.day}`} role="gridcell" aria-selected={isChosen} className="p-0">
                    <button
                      type="button"
                      tabIndex={same(wall, cursor) ? 0 : -1}
                      disabled={isPast}
                      aria-current={isToday ? 'date' : undefined}
                      aria-label={`${wall.day} ${NAMES[wall.month - 1]} ${wall.year}`}
                      onClick={() => (setCursor(wall), pick(wall))}
                      className={classes('mx-auto grid size-8 place-items-center rounded-2 phone:size-10', isChosen ? 'bg-ink text-on-ink' : 'enabled:hover:bg-hover disabled:text-ink-4', !isChosen && !inMonth && 'text-ink-3', isToday && !isChosen && 'font-semibold shadow-[inset_0_0_0_1px_var(--color-line-3)]')}
                    >
                      {wall.day}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="mt-2 flex items-center gap-2 border-t border-line pt-2.5">
        <label className="flex items-center gap-2 text-ink-2">
          Time
          <input
            type="time"
            value={`${String(chosen.hour).padStart(2, '0')}:${String(chosen.minute).padStart(2, '0')}`}
            onChange={({ target }) => {
              const [hour, minute] = target.value.split(':').map(Number);
              if (hour !== undefined && minute !== undefined) pick(chosen, hour, minute);
            }}
            className="h-control-small rounded-2 border border-line-2 bg-paper px-2 text-ink phone:text-16"
          />
        </label>
        <span className="flex-1" />
        <Button size="small" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}

function same(one: Wall, other: Wall): boolean {
  return one.year === other.year && one.month === other.month && one.day === other.day;
}
