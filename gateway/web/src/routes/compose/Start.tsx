import { CalendarDays } from 'lucide-react';
import { Suspense, useState } from 'react';
import { classes } from '../../components/classes';
import { Hint } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { lazily } from '../../components/lazily';
import type { Plan } from '../../compose/plan';
import type { Thing } from '../../compose/settle';
import { offsetMs, quickPicks, wallOf } from '../../compose/starts';
import type { PickKey } from '../../compose/starts';
import { exact, when, zoneName } from '../../words/time';
import { Row } from './Row';
import { textAt } from './textAt';

const Calendar = lazily(async () => (await import('./Calendar')).Calendar);

const NAMES: Readonly<Record<PickKey, string>> = { now: 'Now', hour: 'In an hour', tomorrow: 'Tomorrow', monday: 'Monday' };
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** When the first email may leave: at once, soon, or at a day and time in a zone. */
export function Start({ plan, things, now, onEdit }: { plan: Plan; things: readonly Thing[]; now: Date; onEdit: (patch: Partial<Plan>) => void }) {
  const [zone, setZone] = useState(zoneName);
  const [isChoosing, setChoosing] = useState(false);
  const [isZone, setIsZone] = useState(false);
  // Picked as "in an hour", which stays that however long one writes on.
  const [hour, setHour] = useState<string>();
  const picks = quickPicks(now, zone);
  const at = plan.startTime ? new Date(plan.startTime) : undefined;
  const chosen = !at ? 'now' : plan.startTime === hour ? 'hour' : (picks.find((pick) => pick.key !== 'hour' && pick.at?.getTime() === at.getTime())?.key ?? 'other');
  const error = textAt(things, 'start');
  const pick = (key: PickKey, instant: Date | undefined) => {
    setChoosing(false);
    setHour(key === 'hour' ? instant?.toISOString() : undefined);
    onEdit({ startTime: instant?.toISOString() });
  };
  return (
    <Row label="Start" top>
      <div role="group" aria-label="Start" aria-describedby={error ? 'start-about' : undefined} id="start" className="flex flex-wrap gap-1.5 phone:-mr-gutter phone:flex-nowrap phone:overflow-x-auto phone:pr-gutter phone:pb-1">
        {picks.map(({ key, at: instant }) => (
          <Pick key={key} isOn={chosen === key} onClick={() => pick(key, instant)} text={NAMES[key]} fact={instant && inZone(chosen === key && at ? at : instant, zone, key === 'tomorrow')} />
        ))}
        <Pick isOn={chosen === 'other'} expanded={isChoosing} onClick={() => setChoosing(!isChoosing)} icon text={chosen === 'other' && at ? inZone(at, zone, true, true) : 'Pick a time'} />
      </div>
      <Suspense>
        {isChoosing && (
          <Calendar
            zone={zone}
            at={at ?? picks[2]?.at ?? now}
            now={now}
            onClose={() => setChoosing(false)}
            onPick={(instant) => {
              setHour(undefined);
              onEdit({ startTime: instant.toISOString() });
            }}
          />
        )}
      </Suspense>
      <p className="mt-2 text-12 text-ink-3">
        Time zone:{' '}
        {isZone ? (
          <select aria-label="Time zone of the start" value={zone} onChange={({ target }) => setZone(target.value)} className="h-control-small rounded-2 border border-line-2 bg-paper px-1.5 text-ink phone:text-16">
            {zones(zone).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        ) : (
          zone
        )}{' '}
        ({offsetText(at ?? now, zone)}){zone === zoneName() && ', yours'}.{' '}
        {!isZone && (
          <button type="button" className="link" onClick={() => setIsZone(true)}>
            Change
          </button>
        )}
        {at && zone !== zoneName() && ` For you that is ${when(at, now)}.`}
      </p>
      <Hint id="start-about" error={error} />
    </Row>
  );
}

function Pick({ text, fact, isOn, icon = false, expanded, onClick }: { text: string; fact?: string | undefined; isOn: boolean; icon?: boolean; expanded?: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      aria-expanded={expanded}
      onClick={onClick}
      className={classes('flex h-control flex-none items-center gap-1.75 rounded-2 border px-3 font-medium whitespace-nowrap hover:bg-hover', isOn ? 'border-ink shadow-[inset_0_0_0_1px_var(--color-ink)]' : 'border-line-2')}
    >
      {icon && <Icon of={CalendarDays} small />}
      {text}
      {fact && <span className="font-normal text-ink-3">{fact}</span>}
    </button>
  );
}

/** Wed 09:00, or 09:00 alone; with the day of the month where the day is not named. */
function inZone(at: Date, zone: string, withDay: boolean, withDate = false): string {
  const wall = wallOf(at, zone);
  const time = `${String(wall.hour).padStart(2, '0')}:${String(wall.minute).padStart(2, '0')}`;
  const weekday = WEEKDAYS[new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay()];
  if (!withDay) return time;
  return withDate ? `${weekday} ${wall.day} ${MONTHS[wall.month - 1]} ${time}` : `${weekday} ${time}`;
}

function offsetText(at: Date, zone: string): string {
  if (zone === zoneName()) return exact(at).split(' ').at(-1) ?? '';
  const minutes = offsetMs(at, zone) / 60_000;
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

function zones(current: string): string[] {
  const all = Intl.supportedValuesOf('timeZone');
  return all.includes(current) ? ['UTC', ...all] : [current, 'UTC', ...all];
}
