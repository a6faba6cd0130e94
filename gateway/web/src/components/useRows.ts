import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';

/** Fewer rows than this are all drawn: the browser's own find sees them. */
const ALL_UP_TO = 200;
/** So many rows before the end, the next page is asked for. */
const AHEAD = 30;

interface Rows {
  length: number;
  height: number;
  hasMore: boolean;
  loading: boolean;
  loadMore: () => void;
}

/** Which rows of a long table to draw, and the room above and below them. The window scrolls. */
export function useRows({ length, height, hasMore, loading, loadMore }: Rows) {
  const table = useRef<HTMLTableElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin(table.current?.offsetTop ?? 0), [length === 0]);
  const virtualizer = useWindowVirtualizer({ count: length, estimateSize: () => height, overscan: 16, scrollMargin: margin });
  const drawn = virtualizer.getVirtualItems();
  const last = drawn.at(-1)?.index ?? -1;
  useEffect(() => {
    if (hasMore && !loading && last >= length - AHEAD) loadMore();
  }, [hasMore, loading, last, length, loadMore]);
  if (length <= ALL_UP_TO) return { table, places: Array.from({ length }, (_, place) => place), above: 0, below: 0 };
  const first = drawn[0];
  const end = drawn.at(-1);
  return {
    table,
    places: drawn.map((row) => row.index),
    above: first ? first.start - margin : 0,
    below: end ? virtualizer.getTotalSize() - (end.end - margin) : 0,
  };
}
