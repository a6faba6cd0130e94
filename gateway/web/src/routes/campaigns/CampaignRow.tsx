import { Link } from 'react-router';
import type { Campaign, Mailbox } from '../../api/types';
import { Progress } from '../../components/Progress';
import { State } from '../../components/StateMark';
import { mailboxesText, nextOf, stateOf } from '../../words/campaign';
import { count, counted } from '../../words/number';

interface CampaignRowProps {
  campaign: Campaign;
  mailboxes: readonly Mailbox[];
  now: Date;
  place: number;
  cursor: boolean;
  to: string;
}

export function CampaignRow({ campaign, mailboxes, now, place, cursor, to }: CampaignRowProps) {
  const state = stateOf(campaign, mailboxes, now);
  const [next, why] = nextOf(campaign, mailboxes, now);
  const counts = campaign.counts;
  const draft = campaign.state === 'CAMPAIGN_STATE_DRAFT';
  return (
    <tr data-row={place} data-cursor={cursor || undefined} className="relative">
      <td className="h-row-2">
        <Link to={to} className="block min-w-0 after:absolute after:inset-0">
          <Two first={campaign.name || 'Without a name'} second={campaign.template?.subject || 'No subject yet'} strong />
        </Link>
      </td>
      <td className="phone:self-start">
        <State mark={state.mark} tone={state.tone}>
          {state.text}
        </State>
      </td>
      <td className="p-full">
        {draft || !counts ? (
          <span className="text-ink-3">{counted(counts?.total ?? 0, 'recipient')}</span>
        ) : (
          <span className="grid grid-cols-[auto_1fr] items-center gap-x-2.5 gap-y-1 narrow:grid-cols-1 phone:grid-cols-[auto_1fr]">
            <span className="min-w-22">
              {count(counts.sent)}
              <span className="text-ink-3"> of {count(counts.total)}</span>
            </span>
            <Progress counts={counts} />
          </span>
        )}
      </td>
      <td className="n-hide text-ink-2">{mailboxesText(campaign, mailboxes)}</td>
      <td className="p-full">
        <Two first={next} second={why} />
      </td>
    </tr>
  );
}

/** Two lines of a row: what, then more of it. */
export function Two({ first, second, strong = false }: { first: string; second: string; strong?: boolean }) {
  return (
    <span className="block min-w-0">
      {first && <span className={`block truncate leading-[18px] ${strong || second ? 'font-medium' : ''}`}>{first}</span>}
      {second && <small className={`block truncate text-12 text-ink-3 ${first ? '' : 'text-13!'}`}>{second}</small>}
    </span>
  );
}
