import { hashKey, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect } from 'react';
import { useSearchParams } from 'react-router';
import { firstPage, messages } from '../../api/queries';
import type { MessageFilter } from '../../api/queries';
import { useCursor } from '../../components/useCursor';
import { count } from '../../words/number';

/** Pages that come back empty while more lies behind them: so many are asked for before the person is told to go on. */
const MOST_EMPTY = 5;

/** A list of messages with its drawer: what is open lives in the address. */
export function useMessageList(filter: MessageFilter) {
  const [search, setSearch] = useSearchParams();
  const asked = messages(filter);
  const found = useInfiniteQuery(asked);
  useTrimmed(asked.queryKey);
  const rows = found.data?.pages.flatMap((page) => page.messages) ?? [];
  const openId = search.get('message') ?? undefined;
  const openPlace = rows.findIndex(({ id }) => id === openId);
  const open = useCallback(
    (id: string | undefined) => setSearch((before) => (id ? before.set('message', id) : before.delete('message'), before), { replace: true }),
    [setSearch],
  );
  const cursor = useCursor(rows.length, (place) => open(rows[place]?.id));
  const empty = rows.length === 0 && (found.data?.pages.length ?? 0) < MOST_EMPTY;
  const { fetchNextPage } = found;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const goesOn = empty && found.hasNextPage && !found.isFetchingNextPage && !found.isError;
  useEffect(() => {
    if (goesOn) loadMore();
  }, [goesOn, loadMore]);
  const step = (by: number) => {
    const next = rows[openPlace + by];
    return openPlace >= 0 && next ? () => open(next.id) : undefined;
  };
  /** Of what is open: 9 of 971; without a total, 9. */
  const placeOf = (total: number | undefined) => (openPlace < 0 ? undefined : `${count(openPlace + 1)}${total === undefined ? '' : ` of ${count(Math.max(total, openPlace + 1))}`}`);
  return { found, rows, cursor, openId, placeOf, open, loadMore, onPrevious: step(-1), onNext: step(1) };
}

/** Whoever comes back to a list is at its top: of what was read far down, only the first page is kept and asked anew. */
function useTrimmed(key: ReturnType<typeof messages>['queryKey']) {
  const cache = useQueryClient();
  useEffect(
    () => () => {
      const updatedAt = cache.getQueryState(key)?.dataUpdatedAt;
      cache.setQueryData(key, firstPage, updatedAt === undefined ? undefined : { updatedAt });
    },
    [cache, hashKey(key)],
  );
}
