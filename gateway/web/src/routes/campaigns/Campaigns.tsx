import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { Fragment } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { campaigns, mailboxes } from '../../api/queries';
import type { Campaign, CampaignState } from '../../api/types';
import { Button, ButtonLink } from '../../components/Button';
import { EmptyRoad, EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SearchField } from '../../components/SearchField';
import { SkeletonRows } from '../../components/Skeleton';
import { Tabs } from '../../components/Tabs';
import { useCursor } from '../../components/useCursor';
import { Listed } from '../../shell/Listed';
import { useNow } from '../../useNow';
import { GROUPS, groupOf } from '../../words/campaign';
import type { Group } from '../../words/campaign';
import { count } from '../../words/number';
import { tabPath } from '../message/Filters';
import { CampaignRow } from './CampaignRow';
import { LanesPanel } from './LanesPanel';

/** What the API filters by, where a tab is more than a state. */
const STATES: Readonly<Record<Group, CampaignState>> = {
  active: 'CAMPAIGN_STATE_ACTIVE',
  scheduled: 'CAMPAIGN_STATE_ACTIVE',
  paused: 'CAMPAIGN_STATE_PAUSED',
  draft: 'CAMPAIGN_STATE_DRAFT',
  completed: 'CAMPAIGN_STATE_COMPLETED',
  cancelled: 'CAMPAIGN_STATE_CANCELLED',
};

export function Screen() {
  const now = useNow(1000);
  const navigate = useNavigate();
  const [search, setSearch] = useSearchParams();
  const tab = GROUPS.find(({ key }) => key === search.get('state'))?.key;
  const query = search.get('q') ?? '';
  const found = useInfiniteQuery(campaigns({ state: tab && STATES[tab], query: query || undefined }));
  const { data: boxes = [] } = useQuery(mailboxes);
  const all = found.data?.pages.flatMap((page) => page.campaigns) ?? [];
  const groups = grouped(all, tab, now);
  const rows = groups.flatMap(({ rows: each }) => each);
  const cursor = useCursor(rows.length, (place) => rows[place] && void navigate(pathOf(rows[place])));
  const counted = useCounts(query, now);
  const filtered = tab !== undefined || query !== '';
  const find = (text: string) => setSearch((before) => (text ? before.set('q', text) : before.delete('q'), before), { replace: true });
  return (
    <>
      <Head
        title="Campaigns"
        fact={fact(all, now)}
        actions={
          <>
            <SearchField label="Find by name or subject" value={query} onSearch={find} />
            <ButtonLink to="/compose" icon={<Icon of={Plus} />}>
              New<span className="phone:hidden"> campaign</span>
            </ButtonLink>
          </>
        }
      />
      {!filtered && <LanesPanel campaigns={all} mailboxes={boxes} now={now} />}
      <div className="px-gutter pb-2.5">
        <Tabs
          label="State"
          current={tab ?? 'all'}
          tabs={[
            { key: 'all', text: 'All', count: counted?.('all'), to: tabPath(search, 'state', '') },
            ...GROUPS.map(({ key, title }) => ({ key, text: title, count: counted?.(key), to: tabPath(search, 'state', key) })),
          ]}
        />
      </div>
      <Listed found={found} isEmpty={rows.length === 0} skeleton={<SkeletonRows height={54} two />} empty={<Nothing query={query} filtered={filtered} hasMailbox={boxes.length > 0} onClear={() => setSearch({})} />}>
        <table className="table w-full table-fixed border-collapse">
          <colgroup>
            <col />
            <col className="w-[192px] narrow:w-[150px]" />
            <col className="w-[214px] snug:w-[194px] narrow:w-[148px]" />
            <col className="n-hide w-[104px]" />
            <col className="w-[300px] narrow:w-[220px]" />
          </colgroup>
          <thead>
            <tr>
              {['Campaign', 'State', 'Sent', 'Mailboxes', 'What happens next'].map((name) => (
                <th key={name} scope="col" className={name === 'Mailboxes' ? 'n-hide' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map(({ key, title, rows: each }) => (
              <Fragment key={key}>
                <tr data-group>
                  <th colSpan={4} scope="rowgroup" className="h-7.5 bg-band text-12 font-medium! text-ink-2 phone:flex phone:items-center">
                    {title}
                    <span className="ml-1.5 font-normal text-ink-3">{each.length}</span>
                  </th>
                  <td className="n-hide bg-band" />
                </tr>
                {each.map((campaign) => {
                  const place = rows.indexOf(campaign);
                  return <CampaignRow key={campaign.id} campaign={campaign} mailboxes={boxes} now={now} place={place} cursor={place === cursor} to={pathOf(campaign)} />;
                })}
              </Fragment>
            ))}
          </tbody>
        </table>
      </Listed>
      {found.hasNextPage && (
        <p className="px-gutter py-3">
          <Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}

/** How many campaigns a tab has, where one page holds all that there are: a count of a part would be no count. */
function useCounts(query: string, now: Date): ((tab: Group | 'all') => string) | undefined {
  const { data, hasNextPage } = useInfiniteQuery(campaigns({ query: query || undefined }));
  if (!data || hasNextPage) return undefined;
  const groups = data.pages.flatMap((page) => page.campaigns).map((campaign) => groupOf(campaign, now));
  return (tab) => count(tab === 'all' ? groups.length : groups.filter((group) => group === tab).length);
}

function Nothing({ query, filtered, hasMailbox, onClear }: { query: string; filtered: boolean; hasMailbox: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState title={query ? `No campaign with "${query}"` : 'No campaign in this state'} actions={<Button onClick={onClear}>Clear filters</Button>}>
        {query && 'Searched names and subjects.'}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No campaigns yet"
      art={<EmptyRoad />}
      actions={
        <>
          <ButtonLink kind="primary" to="/compose" className="hover:bg-ink">
            Compose
          </ButtonLink>
          {!hasMailbox && <ButtonLink to="/mailboxes?add=1">Connect a mailbox first</ButtonLink>}
        </>
      }
    >
      Write a message, add recipients, say when. Before anything leaves you see when each mailbox will be done.
    </EmptyState>
  );
}

function grouped(all: readonly Campaign[], tab: Group | undefined, now: Date) {
  return GROUPS.filter(({ key }) => !tab || key === tab)
    .map(({ key, title }) => ({ key, title, rows: all.filter((campaign) => groupOf(campaign, now) === key) }))
    .filter(({ rows }) => rows.length > 0);
}

/** A draft is opened where it is written. */
function pathOf(campaign: Campaign): string {
  return campaign.state === 'CAMPAIGN_STATE_DRAFT' ? `/compose/${campaign.id}` : `/campaigns/${campaign.id}`;
}

/** 6 active, 3 of them start later */
function fact(all: readonly Campaign[], now: Date): string {
  const active = all.filter((campaign) => campaign.state === 'CAMPAIGN_STATE_ACTIVE');
  if (active.length === 0) return all.length > 0 ? 'Nothing is sending' : '';
  const later = active.filter((campaign) => groupOf(campaign, now) === 'scheduled').length;
  if (later === 0) return `${count(active.length)} active`;
  if (later === active.length) return `${count(later)} start${later === 1 ? 's' : ''} later`;
  return `${count(active.length)} active, ${count(later)} of them start${later === 1 ? 's' : ''} later`;
}
