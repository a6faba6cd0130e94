import { Plus } from 'lucide-react';
import type { Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { classes } from '../../components/classes';
import { Icon } from '../../components/Icon';
import { emailsPerMark } from '../../components/lanes';
import { LaneTrack } from '../../components/LaneTrack';
import { Panel } from '../../components/Panel';
import { bindingWords, firstRoad, forecastSentence, namesOf, runsOfShare, shareWords, suggestionWords, waitsOfShare } from '../../compose/forecast';
import type { Plan } from '../../compose/plan';
import { Time } from '../../components/Time';
import { because } from '../../api/useAct';
import { clock, date, when } from '../../words/time';
import { count } from '../../words/number';
import { ForecastChart, shade } from './ForecastChart';
import type { ForecastAnswer } from './useForecast';

interface ForecastPanelProps {
  forecast: ForecastAnswer;
  plan: Plan;
  mailboxes: readonly Mailbox[];
  total: number;
  now: Date;
  onEdit: (patch: Partial<Plan>) => void;
}

/** Of the lanes, in px: it says how many emails one mark is. */
const LANE_PX = 300;
/** More shares than this are a list of their own. */
const MOST_SHARES = 6;

export function ForecastPanel({ forecast: { data, error, isOld }, plan, mailboxes, total, now, onEdit }: ForecastPanelProps) {
  const names = namesOf(mailboxes);
  if (!data) {
    return (
      <Panel title="Forecast">
        <p className="px-4 pt-1 pb-4 text-ink-3">{error ? `No forecast: ${because(error)}` : missing(plan, total)}</p>
      </Panel>
    );
  }
  const [first, last] = [date(data.firstTime), date(data.lastTime)];
  const binding = bindingWords(data, names, plan.delayS, now);
  const suggestion = suggestionWords(data, names, now);
  const road = firstRoad(data, now);
  const lanes = data.shares.slice(0, MOST_SHARES).map((share) => ({ share, runs: runsOfShare(share) }));
  const perMark = emailsPerMark(lanes.map(({ runs }) => runs), road, LANE_PX);
  return (
    <Panel title="Forecast" end={<span className="text-ink-3">changes as you type</span>}>
      <p className="sr-only" aria-live="polite">
        {isOld ? '' : forecastSentence(data, names, now)}
      </p>
      <div className={classes('px-4 pt-2 pb-4 transition-opacity duration-[var(--time-2)]', isOld && 'opacity-60')}>
        <dl className="grid grid-cols-2">
          <End name="First leaves" at={first} now={now} />
          <End name="Last leaves" at={last} now={now} />
        </dl>
        <ForecastChart forecast={data} now={now} names={names} />
        <ul className="mt-3 grid gap-1 border-b border-line pb-3">
          {data.shares.slice(0, MOST_SHARES).map((share, place) => (
            <li key={share.mailboxId} className="flex items-center gap-2">
              <i aria-hidden="true" className={classes('size-2 flex-none rounded-[2px]', shade(place))} />
              <b className="w-20 truncate">{names.get(share.mailboxId) ?? 'a mailbox'}</b>
              <span className="text-ink-3">{shareWords(share, now)}</span>
            </li>
          ))}
          {data.shares.length > MOST_SHARES && <li className="text-ink-3">and {count(data.shares.length - MOST_SHARES)} more mailboxes</li>}
        </ul>
        <div className="grid grid-cols-[72px_minmax(0,1fr)] items-center gap-y-1 pt-3">
          <span className="text-11 text-ink-3">First 2 hours</span>
          <span aria-hidden="true" className="flex justify-between text-11 text-ink-3">
            <span>{clock(new Date(road.from))}</span>
            <span>{clock(new Date((road.from + road.until) / 2))}</span>
            <span>{clock(new Date(road.until))}</span>
          </span>
          {lanes.map(({ share, runs }) => (
            <Lane key={share.mailboxId} name={names.get(share.mailboxId) ?? 'a mailbox'} road={road} runs={runs} waits={waitsOfShare(share, data)} perMark={perMark} said={shareWords(share, now)} />
          ))}
        </div>
        {perMark > 1 && <p className="mt-1 text-11 text-ink-3">One mark is {count(perMark)} emails.</p>}
        {binding && (
          <p className="mt-3">
            <b>{binding[0]}</b> <span className="text-ink-2">{binding[1]}</span>
          </p>
        )}
        {suggestion && (
          <Button size="small" className="mt-2" icon={<Icon of={Plus} small />} onClick={() => onEdit(suggested(data.suggestion?.kind, data.suggestion?.mailboxId ?? '', plan))}>
            {suggestion}
          </Button>
        )}
        <p className="mt-2 text-12 text-ink-3">As things stand. A server that slows us down moves it later; a limit is never passed to keep it.</p>
      </div>
    </Panel>
  );
}

function End({ name, at, now }: { name: string; at: Date | undefined; now: Date }) {
  return (
    <div>
      <dt className="text-12 text-ink-3">{name}</dt>
      <dd className="text-20 font-semibold tracking-[-0.018em]">{at ? <Time at={at} text={Math.abs(at.getTime() - now.getTime()) < 60_000 ? 'Now' : when(at, now)} /> : 'Not known'}</dd>
    </div>
  );
}

function Lane({ name, said, ...track }: { name: string; said: string } & Pick<Parameters<typeof LaneTrack>[0], 'runs' | 'waits' | 'perMark'> & { road: Parameters<typeof emailsPerMark>[1] }) {
  const { road, ...rest } = track;
  return (
    <>
      <span className="truncate pr-2">{name}</span>
      <LaneTrack {...road} {...rest} height={20} label={`${name}: ${said}`} />
    </>
  );
}

function missing(plan: Plan, total: number): string {
  if (plan.mailboxIds.length === 0) return 'Choose a mailbox, and see here when each email leaves.';
  return total === 0 ? 'Add recipients, and see here when each email leaves.' : 'Working it out…';
}

function suggested(kind: string | undefined, mailboxId: string, plan: Plan): Partial<Plan> {
  if (kind === 'SUGGESTION_KIND_ADD_MAILBOX') return { mailboxIds: [...plan.mailboxIds, mailboxId] };
  if (kind === 'SUGGESTION_KIND_LIFT_CAMPAIGN_LIMIT') return { hourlyLimit: undefined };
  return { delayS: plan.delayS / 2 };
}
