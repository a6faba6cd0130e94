import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { Suspense, useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { useLiveCampaign } from '../../api/live';
import { campaign as campaignQuery, mailboxes as mailboxesQuery } from '../../api/queries';
import type { Campaign } from '../../api/types';
import { Badge } from '../../components/Badge';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { lazily } from '../../components/lazily';
import { SkeletonRows } from '../../components/Skeleton';
import { Split } from '../../components/Drawer';
import { Tabs } from '../../components/Tabs';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { mailboxesOf, stateOf } from '../../words/campaign';
import { count } from '../../words/number';
import { MessageDrawer } from '../message/LazyDrawer';
import { CampaignActions } from './CampaignActions';
import { CampaignLanes } from './CampaignLanes';
import { ByHour } from './ByHour';
import { Facts } from './Facts';

// Below what is in sight at first, with the scrolling of long lists.
const CampaignMessages = lazily(async () => (await import('./CampaignMessages')).CampaignMessages);
const EditDialog = lazily(async () => (await import('./EditDialog')).EditDialog);
const History = lazily(async () => (await import('./History')).History);
const TemplatePart = lazily(async () => (await import('./TemplatePart')).TemplatePart);

const PARTS = [
  { key: 'messages', text: 'Messages' },
  { key: 'template', text: 'Template' },
  { key: 'history', text: 'History' },
] as const;

export function Screen() {
  const { campaignId = '' } = useParams();
  const { data, error, refetch } = useQuery(campaignQuery(campaignId));
  useLiveCampaign(campaignId);
  if (data) return <Live campaign={data} key={data.id} />;
  return (
    <>
      <Head title="Campaign" above={<Crumb />} />
      {error ? <PageError error={error} onRetry={() => void refetch()} /> : <SkeletonRows />}
    </>
  );
}

function Live({ campaign }: { campaign: Campaign }) {
  const now = useNow();
  const [search, setSearch] = useSearchParams();
  const [editing, setEditing] = useState(false);
  const { data: boxes = [] } = useQuery(mailboxesQuery);
  const part = PARTS.find(({ key }) => key === search.get('part'))?.key ?? 'messages';
  const messageId = search.get('message');
  const state = stateOf(campaign, boxes, now);
  const used = mailboxesOf(campaign, boxes);
  const going = campaign.state === 'CAMPAIGN_STATE_ACTIVE' || campaign.state === 'CAMPAIGN_STATE_PAUSED';
  const close = () => setSearch((before) => (before.delete('message'), before), { replace: true });
  return (
    <Split drawer={messageId && part !== 'messages' && <MessageDrawer id={messageId} onClose={close} />}>
      <Head
        title={campaign.name || 'Without a name'}
        above={<Crumb />}
        beside={
          <Badge mark={state.mark} active={state.tone === 'mail'}>
            {state.text}
          </Badge>
        }
        actions={<CampaignActions campaign={campaign} onEdit={() => setEditing(true)} />}
      />
      <Facts campaign={campaign} mailboxes={used} now={now} />
      <div className="mt-6 grid grid-cols-[minmax(0,1fr)] gap-4 px-gutter">
        {going && <CampaignLanes campaign={campaign} mailboxes={used} now={now} />}
        <ByHour campaign={campaign} mailboxes={used} now={now} />
      </div>
      <div className="mt-5">
        <Tabs
          line
          label="Parts"
          current={part}
          tabs={PARTS.map(({ key, text }) => ({
            key,
            text,
            count: key === 'messages' ? count(campaign.counts?.total ?? 0) : undefined,
            to: key === 'messages' ? `/campaigns/${campaign.id}` : `/campaigns/${campaign.id}?part=${key}`,
          }))}
        />
      </div>
      <Suspense fallback={<SkeletonRows rows={4} />}>
        {part === 'messages' && <CampaignMessages campaign={campaign} mailboxes={boxes} />}
        {part === 'template' && <TemplatePart campaign={campaign} />}
        {part === 'history' && <History campaign={campaign} />}
      </Suspense>
      <Suspense>{editing && <EditDialog campaign={campaign} onClose={() => setEditing(false)} />}</Suspense>
    </Split>
  );
}

function Crumb() {
  return (
    <Link to="/campaigns" className="inline-flex items-center gap-1.5 hover:text-ink">
      Campaigns
      <Icon of={ChevronRight} small />
    </Link>
  );
}
