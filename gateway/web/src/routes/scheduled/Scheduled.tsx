import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useSearchParams } from 'react-router';
import { mailboxes, overview } from '../../api/queries';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SearchField } from '../../components/SearchField';
import { SkeletonRows } from '../../components/Skeleton';
import { useRows } from '../../components/useRows';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { count, counted } from '../../words/number';
import { exportPath, Filters, useFilter } from '../message/Filters';
import { MessageDrawer } from '../message/MessageDrawer';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';
import { ScheduledRow } from './ScheduledRow';

const ORDER = 'MESSAGE_ORDER_LEAVING';

/** What waits in active campaigns, in the order in which it leaves. */
export function Screen() {
  const now = useNow();
  const [, setSearch] = useSearchParams();
  const filter = useFilter();
  const { data: counts } = useQuery(overview);
  const { data: boxes = [] } = useQuery(mailboxes);
  const list = useMessageList({ order: ORDER, ...filter });
  const { found, rows } = list;
  const view = useRows({ length: rows.length, height: 40, hasMore: found.hasNextPage, loading: found.isFetchingNextPage, loadMore: list.loadMore });
  const narrow = list.openId !== undefined;
  const find = (text: string) => setSearch((before) => (text ? before.set('q', text) : before.delete('q'), before), { replace: true });
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} fact={list.openPlace >= 0 ? `${count(list.openPlace + 1)} of ${count(counts?.scheduled ?? rows.length)}` : undefined} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <Head
        title="Scheduled"
        fact={counts && counted(counts.scheduled, 'email waits', 'emails wait')}
        actions={
          <>
            <SearchField label="Recipient" value={filter.query ?? ''} onSearch={find} className={narrow ? 'w-[180px]!' : undefined} />
            <a href={exportPath({ order: ORDER, ...filter })} download aria-label="Export CSV" title="Export CSV" className="inline-flex h-control flex-none items-center gap-1.75 rounded-2 border border-line-2 bg-paper px-3 font-medium shadow-1 hover:bg-hover">
              <Icon of={Download} className="text-ink-2" />
              <span className={narrow ? 'hidden' : 'phone:hidden'}>Export CSV</span>
            </a>
          </>
        }
      />
      <div className="flex gap-2 overflow-x-auto px-gutter pb-2.5 [scrollbar-width:none]">
        <Filters />
      </div>
      {found.isPending ? (
        <SkeletonRows rows={14} />
      ) : found.error && !found.data ? (
        <PageError error={found.error} onRetry={() => void found.refetch()} />
      ) : rows.length === 0 ? (
        <Nothing filtered={Boolean(filter.query || filter.campaignId || filter.mailboxId)} query={filter.query} onClear={() => setSearch({})} />
      ) : (
        <table ref={view.table} className="table w-full table-fixed border-collapse" aria-rowcount={found.hasNextPage ? -1 : rows.length + 1}>
          <colgroup>
            <col />
            <col className={narrow ? 'w-0' : undefined} />
            <col className="w-[104px]" />
            {!narrow && <col className="w-[104px]" />}
            <col className="w-[244px]" />
            {!narrow && <col className="w-[112px]" />}
            <col className="w-[150px]" />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Recipient</th>
              <th scope="col">{narrow ? '' : 'Subject'}</th>
              <th scope="col">Mailbox</th>
              {!narrow && <th scope="col">Due</th>}
              <th scope="col">Waits because</th>
              {!narrow && <th scope="col">Until</th>}
              <th scope="col" className="num">
                Leaves
              </th>
            </tr>
          </thead>
          <tbody>
            {view.above > 0 && <tr style={{ height: view.above }} />}
            {view.places.map((place) => {
              const message = rows[place];
              if (!message) return null;
              return <ScheduledRow key={message.id} message={message} place={place} cursor={place === list.cursor} open={message.id === list.openId} narrow={narrow} mailbox={boxes.find(({ id }) => id === message.mailboxId)} now={now} onOpen={list.open} />;
            })}
            {view.below > 0 && <tr style={{ height: view.below }} />}
          </tbody>
        </table>
      )}
      {found.isFetchingNextPage && rows.length > 0 && <SkeletonRows rows={2} />}
    </Split>
  );
}

function Nothing({ filtered, query, onClear }: { filtered: boolean; query: string | undefined; onClear: () => void }) {
  if (filtered) return <NoMatch query={query} onClear={onClear} among="emails that wait" />;
  return (
    <EmptyState title="Nothing waits" mark="done">
      Emails of active campaigns are here until they leave.
    </EmptyState>
  );
}
