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
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { GROUPS, groupOf } from '../../words/campaign';
import type { Group } from '../../words/campaign';
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
  const filtered = tab !== undefined || query !== '';
  const find = (text: string) => setSearch((before) => (text ? before.set('q', text) : before.delete('q'), before), { replace: true });
  return (
    <>
      <Head
        title="Campaigns"
        fact={nextFact(all)}
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
          tabs={[{ key: 'all', text: 'All', to: with_('', query) }, ...GROUPS.map(({ key, title }) => ({ key, text: title, to: with_(key, query) }))]}
        />
      </div>
      {found.isPending ? (
        <SkeletonRows height={54} two />
      ) : found.error && !found.data ? (
        <PageError error={found.error} onRetry={() => void found.refetch()} />
      ) : rows.length === 0 ? (
        <Nothing query={query} filtered={filtered} hasMailbox={boxes.length > 0} onClear={() => setSearch({})} />
      ) : (
        <table className="table w-full table-fixed border-collapse">
          <colgroup>
            <col />
            <col className="w-[172px]" />
            <col className="w-[214px]" />
            <col className="w-[104px]" />
            <col className="w-[300px]" />
          </colgroup>
          <thead>
            <tr>
              {['Campaign', 'State', 'Sent', 'Mailboxes', 'What happens next'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map(({ key, title, rows: each }) => (
              <Fragment key={key}>
                <tr data-group>
                  <th colSpan={5} scope="rowgroup" className="h-7.5 bg-band text-12 font-medium! text-ink-2 phone:flex phone:items-center">
                    {title}
                    <span className="ml-1.5 font-normal text-ink-3">{each.length}</span>
                  </th>
                </tr>
                {each.map((campaign) => {
                  const place = rows.indexOf(campaign);
                  return <CampaignRow key={campaign.id} campaign={campaign} mailboxes={boxes} now={now} place={place} cursor={place === cursor} to={pathOf(campaign)} />;
                })}
              </Fragment>
            ))}
          </tbody>
        </table>
      )}
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

function with_(state: string, query: string): string {
  const search = new URLSearchParams({ ...(state ? { state } : {}), ...(query ? { q: query } : {}) }).toString();
  return search ? `/campaigns?${search}` : '/campaigns';
}

function nextFact(all: readonly Campaign[]): string {
  const active = all.filter((campaign) => campaign.state === 'CAMPAIGN_STATE_ACTIVE').length;
  if (active === 0) return all.length > 0 ? 'Nothing is sending' : '';
  return active === 1 ? '1 is active' : `${active} are active`;
}
