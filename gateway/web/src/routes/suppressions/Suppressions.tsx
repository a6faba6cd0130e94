import { useInfiniteQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useSearchParams } from 'react-router';
import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import { suppressions } from '../../api/queries';
import type { Suppression } from '../../api/types';
import { Button } from '../../components/Button';
import { Columns } from '../../components/Columns';
import { Confirm } from '../../components/Confirm';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { FilterPill } from '../../components/Pill';
import { SearchField } from '../../components/SearchField';
import { SkeletonRows } from '../../components/Skeleton';
import { toast } from '../../components/Toasts';
import { useRows } from '../../components/useRows';
import { Listed } from '../../shell/Listed';
import { useNow } from '../../useNow';
import { calendarDay, date } from '../../words/time';
import { AddDialog } from './AddDialog';

const REASONS: readonly { value: Suppression['reason']; text: string }[] = [
  { value: 'SUPPRESSION_REASON_UNSUBSCRIBED', text: 'Unsubscribed' },
  { value: 'SUPPRESSION_REASON_DEAD_ADDRESS', text: 'Address is dead' },
  { value: 'SUPPRESSION_REASON_MANUAL', text: 'Added' },
];

/** Addresses that nothing is sent to, and why each is there. */
export function Screen() {
  const now = useNow(60_000);
  const [search, setSearch] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | undefined>();
  const query = search.get('q') ?? '';
  const reason = REASONS.find(({ value }) => value === search.get('reason'))?.value ?? '';
  const found = useInfiniteQuery(suppressions(query, reason));
  const rows = found.data?.pages.flatMap((page) => page.suppressions) ?? [];
  const { fetchNextPage } = found;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const view = useRows({ length: rows.length, height: 40, hasMore: found.hasNextPage, loading: found.isFetchingNextPage, loadMore });
  const set = (name: string) => (value: string) => setSearch((before) => (value ? before.set(name, value) : before.delete(name), before), { replace: true });
  return (
    <>
      <Head
        title="Suppressions"
        fact="nothing is sent to these"
        actions={
          <>
            <SearchField label="Address" value={query} onSearch={set('q')} />
            <Button icon={<Icon of={Plus} />} onClick={() => setAdding(true)}>
              Add<span className="phone:hidden"> addresses</span>
            </Button>
          </>
        }
      />
      <div className="px-gutter pb-2.5">
        <FilterPill name="Why" value={reason} onPick={set('reason')} options={REASONS} />
      </div>
      <Listed found={found} isEmpty={rows.length === 0} skeleton={<SkeletonRows />} empty={<Nothing query={query} filtered={Boolean(query || reason)} onClear={() => setSearch({})} />}>
        <table ref={view.table} className="table w-full table-fixed border-collapse">
          <colgroup>
            <col />
            <col className="w-[36%]" />
            <col className="w-[120px]" />
          </colgroup>
          <Columns names={['Address', 'Why']} />
          <tbody>
            {view.above > 0 && <tr style={{ height: view.above }} />}
            {view.places.map((place) => {
              const row = rows[place];
              return (
                row && (
                  <tr key={row.email} data-row={place}>
                    <td className="h-row font-medium">{row.email}</td>
                    <td className="text-ink-2 phone:col-start-1">{why(row, now)}</td>
                    <td className="num phone:col-start-2 phone:row-span-2 phone:row-start-1">
                      <Button kind="quiet" size="small" onClick={() => setRemoving(row.email)}>
                        Remove
                      </Button>
                    </td>
                  </tr>
                )
              );
            })}
            {view.below > 0 && <tr style={{ height: view.below }} />}
          </tbody>
        </table>
      </Listed>
      {adding && <AddDialog onClose={() => setAdding(false)} />}
      {removing && <Remove email={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function Nothing({ query, filtered, onClear }: { query: string; filtered: boolean; onClear: () => void }) {
  if (filtered) return <EmptyState title={query ? `No address with "${query}"` : 'No address for this reason'} actions={<Button onClick={onClear}>Clear filters</Button>} />;
  return (
    <EmptyState title="No address is suppressed" mark="done">
      Who unsubscribes and whose address is dead comes here by itself, and gets nothing more from any campaign.
    </EmptyState>
  );
}

function why({ reason, createTime, addedBy }: Suppression, now: Date): string {
  const at = date(createTime);
  const on = at ? ` on ${calendarDay(at, now)}` : '';
  switch (reason) {
    case 'SUPPRESSION_REASON_UNSUBSCRIBED':
      return `Unsubscribed${on}`;
    case 'SUPPRESSION_REASON_DEAD_ADDRESS':
      return `Address found dead${on}`;
    default:
      return `Added${addedBy ? ` by ${addedBy}` : ''}${on}`;
  }
}

function Remove({ email, onClose }: { email: string; onClose: () => void }) {
  const act = useAct({
    changes: ['suppressions'],
    failed: 'Not removed',
    run: () => call('delete', '/v1/suppressions/{email}', { path: { email } }),
    onDone: () => (toast({ text: `${email} may be written to again` }), onClose()),
  });
  return (
    <Confirm danger title={`Remove ${email}?`} keep="Keep it" verb="Remove" busy={act.isPending} onConfirm={() => act.mutate()} onClose={onClose}>
      Campaigns may write to this address again. Where its owner unsubscribed, that may be against the law.
    </Confirm>
  );
}
