import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { forecast, latest, usage } from '../../api/queries';
import type { Campaign, Mailbox } from '../../api/types';
import { Lanes, LanesLegend } from '../../components/Lanes';
import type { Lane } from '../../components/Lanes';
import type { Road } from '../../components/lanes';
import { Meter } from '../../components/Meter';
import { Panel } from '../../components/Panel';
import { isStopped, stateOfMailbox } from '../../words/mailbox';
import { count } from '../../words/number';
import { date, day, until } from '../../words/time';
import { firstAfter, leftRuns, plannedRuns, roadAround, waitsOf } from '../campaigns/lanesOf';

interface CampaignLanesProps {
  campaign: Campaign;
  mailboxes: readonly Mailbox[];
  now: Date;
}

/** The campaign's share of each mailbox, around now. */
export function CampaignLanes({ campaign, mailboxes, now }: CampaignLanesProps) {
  const [perMark, setPerMark] = useState(1);
  const road = roadAround(now);
  const { data: planned } = useQuery(forecast(campaign.id));
  const { data: past } = useQuery(latest(new Date(road.from).toISOString(), campaign.id));
  const { data: used } = useQuery(usage({ campaignId: campaign.id }));
  if (mailboxes.length === 0) return null;
  const lanes = mailboxes.map((mailbox): Lane => {
    const hour = used?.mailboxes.find(({ mailboxId }) => mailboxId === mailbox.id)?.hour;
    const runs = [...leftRuns(past?.messages ?? [], mailbox.id), ...(planned && !isStopped(mailbox.stop, now) ? plannedRuns([planned], mailbox.id, road) : [])];
    return {
      id: mailbox.id,
      name: (
        <>
          <strong className="block truncate leading-[18px]">{mailbox.address}</strong>
          <Meter used={hour?.used ?? 0} limit={hour?.limit ?? mailbox.hourlyLimit} per="this hour" stopped={isStopped(mailbox.stop, now)} />
        </>
      ),
      runs,
      waits: isStopped(mailbox.stop, now) || !planned ? [] : waitsOf([planned], { mailboxId: mailbox.id, parks: mailbox.parks }, road),
      ...laneWords(campaign, mailbox, runs, road, now),
    };
  });
  return (
    <Panel title="Lanes" end={<LanesLegend perMark={perMark} />}>
      <Lanes lanes={lanes} road={road} what="236px" onScale={setPerMark} />
    </Panel>
  );
}

function laneWords(campaign: Campaign, mailbox: Mailbox, runs: Lane['runs'], road: Road, now: Date): Pick<Lane, 'state' | 'why' | 'tone' | 'label'> {
  const share = campaign.shares.find(({ mailboxId }) => mailboxId === mailbox.id);
  const waiting = share?.waiting ?? 0;
  const words = stateOfMailbox({ parks: mailbox.parks, stop: mailbox.stop, waiting, hourlyLimit: mailbox.hourlyLimit }, now);
  const next = date(share?.nextTime)?.getTime() ?? firstAfter(runs, road.now);
  const end = date(share?.expectedEndTime);
  const paused = campaign.state === 'CAMPAIGN_STATE_PAUSED';
  const state = paused ? 'Paused' : words.mark === 'sending' && next ? `Sending, next ${until(new Date(next), now)}` : words.text;
  const go = `${count(waiting)} to go${end && !paused ? `, the last leaves ${day(end, now)}` : ''}`;
  const why = paused || words.mark === 'sending' ? go : words.why;
  return { state, why, tone: paused || words.tone === 'mail' ? 'plain' : words.tone, label: `${mailbox.address}: ${state}. ${why}` };
}
