import { useQueries, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { forecast, latest, overview } from '../../api/queries';
import type { Campaign, Mailbox } from '../../api/types';
import { Lanes, LanesLegend } from '../../components/Lanes';
import { Panel } from '../../components/Panel';
import { lanesOf, roadAround } from './lanesOf';

/** Forecasts of more campaigns at once say little and cost calls. */
const MOST_FORECASTS = 8;

/** Each mailbox that has mail to send, around now. */
export function LanesPanel({ campaigns, mailboxes, now }: { campaigns: readonly Campaign[]; mailboxes: readonly Mailbox[]; now: Date }) {
  const [perMark, setPerMark] = useState(1);
  const { data: counts } = useQuery(overview);
  const active = campaigns.filter((campaign) => campaign.state === 'CAMPAIGN_STATE_ACTIVE').slice(0, MOST_FORECASTS);
  const forecasts = useQueries({ queries: active.map((campaign) => forecast(campaign.id)) });
  const road = roadAround(now);
  const { data: past } = useQuery({ ...latest(new Date(road.from).toISOString()), enabled: active.length > 0 });
  const lanes = lanesOf({
    hours: counts?.thisHour ?? [],
    mailboxes,
    forecasts: forecasts.flatMap(({ data }) => data ?? []),
    past: past?.messages ?? [],
    road,
    now,
  });
  if (active.length === 0 || lanes.length === 0) return null;
  return (
    <div className="mb-5 px-gutter phone:hidden">
      <Panel title="Lanes" fact="each mailbox, around now" end={<LanesLegend perMark={perMark} />}>
        <Lanes lanes={lanes} road={road} onScale={setPerMark} />
      </Panel>
    </div>
  );
}
