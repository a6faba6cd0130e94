import { useQuery } from '@tanstack/react-query';
import { CalendarDays, Download, X } from 'lucide-react';
import { useSearchParams } from 'react-router';
import { overview } from '../../api/queries';
import type { MessageState } from '../../api/types';
import { classes } from '../../components/classes';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SearchField } from '../../components/SearchField';
import { SkeletonRows } from '../../components/Skeleton';
import { Tabs } from '../../components/Tabs';
import { useRows } from '../../components/useRows';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { count } from '../../words/number';
import { exportPath, Filters, useFilter } from '../message/Filters';
import { MessageDrawer } from '../message/MessageDrawer';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';
import { SentRow } from './SentRow';

const ORDER = 'MESSAGE_ORDER_LATEST';

const TABS: readonly { key: string; text: string; state: MessageState | undefined }[] = [
  { key: 'all', text: 'All', state: undefined },
  { key: 'sent', text: 'Sent', state: 'MESSAGE_STATE_SENT' },
  { key: 'unconfirmed', text: 'Unconfirmed', state: 'MESSAGE_STATE_UNCONFIRMED' },
  { key: 'failed', text: 'Failed', state: 'MESSAGE_STATE_FAILED' },
];

/** What was sent, failed or is unconfirmed, the latest first. */
export function Screen() {
  const now = useNow(10_000);
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find(({ key }) => key === search.get('state')) ?? TABS[0];
  const today = search.get('day') === 'today';
  const startTime = today ? new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString() : undefined;
  const filter = { ...useFilter(), state: tab?.state, startTime };
  const { data: counts } = useQuery(overview);
  const list = useMessageList({ order: ORDER, ...filter });
  const { found, rows } = list;
  const view = useRows({ length: rows.length, height: 40, hasMore: found.hasNextPage, loading: found.isFetchingNextPage, loadMore: list.loadMore });
  const narrow = list.openId !== undefined;
  const change = (name: string, value: string) => setSearch((before) => (value ? before.set(name, value) : before.delete(name), before.delete('message'), before), { replace: true });
  const filtered = Boolean(filter.query || filter.campaignId || filter.mailboxId || filter.state || today);
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} fact={list.openPlace >= 0 ? count(list.openPlace + 1) : undefined} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <Head
        title="Sent"
        fact={counts && `${count(counts.sent)} in all`}
        actions={
          <>
            <SearchField label="Recipient" value={filter.query ?? ''} onSearch={(text) => change('q', text)} className={narrow ? 'w-[180px]!' : undefined} />
            <a href={exportPath({ order: ORDER, ...filter })} download aria-label="Export CSV" title="Export CSV" className="grid size-control flex-none place-items-center rounded-2 border border-line-2 bg-paper shadow-1 hover:bg-hover">
              <Icon of={Download} className="text-ink-2" />
            </a>
          </>
        }
      />
      <div className="flex items-center gap-2 overflow-x-auto px-gutter pb-2.5 [scrollbar-width:none]">
        <Tabs label="State" current={tab?.key ?? 'all'} tabs={TABS.map(({ key, text }) => ({ key, text, to: tabPath(search, key) }))} />
        <span className="flex-1" />
        <button
          type="button"
          aria-pressed={today}
          onClick={() => change('day', today ? '' : 'today')}
          className={classes('inline-flex h-7 flex-none items-center gap-1.5 rounded-2 border border-line-2 px-2.5 text-12 hover:bg-hover phone:h-9', today ? 'bg-hover text-ink' : 'text-ink-2')}
        >
          <Icon of={today ? X : CalendarDays} small />
          Today
        </button>
        {!narrow && <Filters />}
      </div>
      {found.isPending ? (
        <SkeletonRows rows={14} />
      ) : found.error && !found.data ? (
        <PageError error={found.error} onRetry={() => void found.refetch()} />
      ) : rows.length === 0 && filtered ? (
        <NoMatch query={filter.query} among={today ? 'emails of today' : 'emails that left'} onClear={() => setSearch({})} wider={today ? { text: 'Search all days', run: () => change('day', '') } : undefined} />
      ) : rows.length === 0 ? (
        <EmptyState title="Nothing was sent yet">Each email is here from the moment it left, with its story.</EmptyState>
      ) : (
        <table ref={view.table} className="table w-full table-fixed border-collapse" aria-rowcount={found.hasNextPage ? -1 : rows.length + 1}>
          <colgroup>
            <col />
            <col />
            <col className={narrow ? 'w-[150px]' : 'w-[300px]'} />
            <col className="w-[120px]" />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Recipient</th>
              <th scope="col">Subject</th>
              <th scope="col">State</th>
              <th scope="col" className="num">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {view.above > 0 && <tr style={{ height: view.above }} />}
            {view.places.map((place) => {
              const message = rows[place];
              return message && <SentRow key={message.id} message={message} place={place} cursor={place === list.cursor} open={message.id === list.openId} narrow={narrow} now={now} onOpen={list.open} />;
            })}
            {view.below > 0 && <tr style={{ height: view.below }} />}
          </tbody>
        </table>
      )}
      {found.isFetchingNextPage && rows.length > 0 && <SkeletonRows rows={2} />}
    </Split>
  );
}

function tabPath(search: URLSearchParams, key: string): string {
  const next = new URLSearchParams(search);
  next.delete('message');
  if (key === 'all') next.delete('state');
  else next.set('state', key);
  const text = next.toString();
  return text ? `/sent?${text}` : '/sent';
}
