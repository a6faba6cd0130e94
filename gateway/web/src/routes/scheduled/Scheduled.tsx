import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import { mailboxes, overview } from '../../api/queries';
import type { LaneState, Message, Overview } from '../../api/types';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Tabs } from '../../components/Tabs';
import { useNow } from '../../useNow';
import { count, counted } from '../../words/number';
import { ExportLink, FilterBar, Find, tabPath, useFilter } from '../message/Filters';
import { MessageDrawer } from '../message/LazyDrawer';
import { MessageTable } from '../message/MessageTable';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';
import { ScheduledCells, SUBJECT } from './ScheduledCells';

const ORDER = 'MESSAGE_ORDER_LEAVING';

const TABS: readonly { key: string; text: string; state: LaneState }[] = [
  { key: 'leaving', text: 'Leaving', state: 'LANE_STATE_LEAVING' },
  { key: 'limit', text: 'At a limit', state: 'LANE_STATE_AT_LIMIT' },
  { key: 'slowed', text: 'Slowed by a server', state: 'LANE_STATE_SLOWED' },
  { key: 'later', text: 'Not started', state: 'LANE_STATE_NOT_STARTED' },
  { key: 'stopped', text: 'Stopped', state: 'LANE_STATE_STOPPED' },
];

/** What waits in active campaigns, in the order in which it leaves. */
export function Screen() {
  const now = useNow();
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find(({ key }) => key === search.get('why'));
  const filter = { order: ORDER, ...useFilter(), laneState: tab?.state } as const;
  const { data: counts } = useQuery(overview);
  const { data: boxes } = useQuery(mailboxes);
  const list = useMessageList(filter);
  const narrow = list.openId !== undefined;
  const cells = useCallback((message: Message) => <ScheduledCells message={message} narrow={narrow} mailbox={boxes?.find(({ id }) => id === message.mailboxId)} now={now} />, [narrow, boxes, now]);
  const narrowed = Boolean(filter.query || filter.campaignId || filter.mailboxId);
  const total = narrowed ? undefined : tab ? waiting(counts, tab.state) : counts?.scheduled;
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} fact={list.placeOf(total)} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <Head
        title="Scheduled"
        fact={counts && counted(counts.scheduled, 'email waits', 'emails wait')}
        actions={
          <>
            <Find narrow={narrow} />
            <ExportLink filter={filter} square={narrow} />
          </>
        }
      />
      <FilterBar narrow={narrow}>
        <Tabs
          label="How it stands"
          current={tab?.key ?? 'all'}
          tabs={[
            { key: 'all', text: 'All', count: counts && count(counts.scheduled), to: tabPath(search, 'why', '') },
            ...TABS.filter(({ key, state }) => key === tab?.key || waiting(counts, state) > 0).map(({ key, text, state }) => ({ key, text, count: count(waiting(counts, state)), to: tabPath(search, 'why', key) })),
          ]}
        />
      </FilterBar>
      <MessageTable
        list={list}
        skeleton={14}
        columns={
          narrow
            ? [{ name: 'Mailbox', width: 'w-[104px]' }, { name: 'Waits because', width: 'w-[236px]' }, { name: 'Leaves', width: 'w-[120px]', right: true }]
            : [{ name: 'Subject', hide: SUBJECT }, { name: 'Mailbox', width: 'w-[100px]' }, { name: 'Due', width: 'w-[96px]', hide: 'n-hide' }, { name: 'Waits because', width: 'w-[244px]' }, { name: 'Until', width: 'w-[104px]' }, { name: 'Leaves', width: 'w-[190px] snug:w-[112px]', right: true }]
        }
        cells={cells}
        empty={
          narrowed || tab ? (
            <NoMatch query={filter.query} onClear={() => setSearch({})} among="emails that wait" />
          ) : (
            <EmptyState title="Nothing waits" mark="done">
              Emails of active campaigns are here until they leave.
            </EmptyState>
          )
        }
      />
    </Split>
  );
}

function waiting(counts: Overview | undefined, state: LaneState): number {
  return counts?.lanes.find((lane) => lane.state === state)?.waiting ?? 0;
}
