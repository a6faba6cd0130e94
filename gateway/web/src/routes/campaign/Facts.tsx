import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Campaign, Counts, Mailbox } from '../../api/types';
import { Progress } from '../../components/Progress';
import { StateMark } from '../../components/StateMark';
import type { Mark } from '../../components/StateMark';
import { groupOf, paceOf } from '../../words/campaign';
import { count, short } from '../../words/number';
import { date, day, until } from '../../words/time';

/** Counts are read out no oftener. */
const SAID_EVERY_MS = 30_000;

const TALLY: readonly { part: keyof Counts; mark: Mark; text: string; state: string }[] = [
  { part: 'sent', mark: 'sent', text: 'sent', state: 'SENT' },
  { part: 'sending', mark: 'sending', text: 'sending', state: 'SENDING' },
  { part: 'pending', mark: 'pending', text: 'pending', state: 'PENDING' },
  { part: 'unconfirmed', mark: 'unsure', text: 'unconfirmed', state: 'UNCONFIRMED' },
  { part: 'failed', mark: 'failed', text: 'failed', state: 'FAILED' },
  { part: 'suppressed', mark: 'suppressed', text: 'suppressed', state: 'SUPPRESSED' },
  { part: 'cancelled', mark: 'cancelled', text: 'cancelled', state: 'CANCELLED' },
];

/** The one figure, what comes next, and what became of the rest. */
export function Facts({ campaign, mailboxes, now }: { campaign: Campaign; mailboxes: readonly Mailbox[]; now: Date }) {
  const counts = campaign.counts;
  if (!counts) return null;
  return (
    <section aria-label="Progress" className="px-gutter">
      <div className="mb-3.5 flex flex-wrap items-end gap-x-8 gap-y-2.5">
        <p className="text-30 font-semibold tracking-[-0.025em]">
          {count(counts.sent)} <span className="text-16 font-normal tracking-normal text-ink-3">of {count(counts.total)} sent</span>
        </p>
        <dl className="flex flex-wrap gap-x-8 gap-y-2 pb-[3px]">
          {factsOf(campaign, mailboxes, now).map(([name, text]) => (
            <div key={name}>
              <dt className="text-12 text-ink-3">{name}</dt>
              <dd className="font-medium">{text}</dd>
            </div>
          ))}
        </dl>
      </div>
      <Progress counts={counts} big />
      <ul className="mt-2.5 flex flex-wrap gap-x-5.5 gap-y-1 text-ink-2">
        {TALLY.filter(({ part }) => counts[part] > 0).map(({ part, mark, text, state }) => (
          <li key={part}>
            <Link to={`/campaigns/${campaign.id}?state=${state}`} className="inline-flex items-center gap-1.5 hover:text-ink hover:underline">
              <StateMark mark={mark} />
              <strong className="text-ink">{count(counts[part])}</strong> {text}
            </Link>
          </li>
        ))}
      </ul>
      <Announcer text={`${count(counts.sent)} of ${count(counts.total)} sent`} />
    </section>
  );
}

function factsOf(campaign: Campaign, mailboxes: readonly Mailbox[], now: Date): [string, string][] {
  const facts: [string, string][] = [];
  const add = (name: string, text: string | undefined) => text && facts.push([name, text]);
  const group = groupOf(campaign, now);
  const next = campaign.shares.filter((share) => share.nextTime).sort((one, other) => (one.nextTime ?? '').localeCompare(other.nextTime ?? ''))[0];
  const nextAt = date(next?.nextTime);
  const from = mailboxes.find(({ id }) => id === next?.mailboxId);
  if (group === 'active' && nextAt) add('Next email', `${until(nextAt, now)}${from ? `, from ${short(from.address)}` : ''}`);
  const end = date(campaign.expectedEndTime);
  if (group === 'active' || group === 'scheduled') add('Ends', end ? day(end, now) : 'not known');
  const ended = date(campaign.endTime);
  if (ended) add(group === 'cancelled' ? 'Cancelled' : 'Ended', `${day(ended, now)}${campaign.stateActor ? ` by ${campaign.stateActor}` : ''}`);
  if (group === 'paused') add('Paused', campaign.stateActor ? `by ${campaign.stateActor}` : `by Maillane: ${campaign.stateReason || 'servers refuse what it sends'}`);
  // Of one that started when somebody said so, when is not told: when it was made is.
  const [start, made] = [date(campaign.startTime), date(campaign.createTime)];
  if (start && group !== 'draft') add(start > now ? 'Starts' : 'Started', day(start, now));
  else if (made) add('Made', day(made, now));
  add('Pace', paceOf(campaign, mailboxes));
  return facts;
}

/** Says a text to who cannot see it, politely, and not each time that it changes. */
function Announcer({ text }: { text: string }) {
  const [said, setSaid] = useState('');
  const last = useRef(text);
  last.current = text;
  useEffect(() => {
    const timer = setInterval(() => setSaid(last.current), SAID_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p aria-live="polite" className="sr-only">
      {said}
    </p>
  );
}
