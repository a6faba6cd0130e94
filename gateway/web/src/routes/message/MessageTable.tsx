import { memo } from 'react';
import type { ReactNode } from 'react';
import type { Message } from '../../api/types';
import { Listed } from '../../shell/Listed';
import { classes } from '../../components/classes';
import { SkeletonRows } from '../../components/Skeleton';
import { useRows } from '../../components/useRows';
import type { useMessageList } from './useMessageList';
import { Who } from './Who';

export interface Column {
  name: string;
  /** A class; without one it shares what the others leave. */
  width?: string;
  right?: boolean;
  /** The class that leaves it out where there is no room, as its cells have it. */
  hide?: string;
}

interface MessageTableProps {
  list: ReturnType<typeof useMessageList>;
  /** The recipient's column comes first, and is not among them. */
  columns: readonly Column[];
  /** The recipient's column. */
  recipient?: string;
  skeleton: number;
  /** In place of rows, where there are none. */
  empty: ReactNode;
  /** The cells behind the recipient's; the same function as long as what it draws from is the same. */
  cells: (message: Message) => ReactNode;
}

const HEIGHT = 40;

/** Messages as rows that open their drawer: however many, only those in sight are drawn, and the next page is asked for before it is needed. */
export function MessageTable({ list, columns, recipient, skeleton, empty, cells }: MessageTableProps) {
  const { found, rows } = list;
  const view = useRows({ length: rows.length, height: HEIGHT, hasMore: found.hasNextPage, loading: found.isFetchingNextPage, loadMore: list.loadMore });
  return (
    <Listed found={found} isEmpty={rows.length === 0} skeleton={<SkeletonRows rows={skeleton} />} empty={empty}>
      <table ref={view.table} className="table w-full table-fixed border-collapse" aria-rowcount={found.hasNextPage ? -1 : rows.length + 1}>
        <colgroup>
          <col className={recipient} />
          {columns.map(({ name, width, hide }) => (
            <col key={name} className={classes(width, hide)} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Recipient</th>
            {columns.map(({ name, right, hide }) => (
              <th key={name} scope="col" className={classes(right && 'num', hide)}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {view.above > 0 && <tr style={{ height: view.above }} />}
          {view.places.map((place) => {
            const message = rows[place];
            if (!message) return null;
            return <Row key={message.id} message={message} place={place} cursor={place === list.cursor} open={message.id === list.openId} onOpen={list.open} cells={cells} />;
          })}
          {view.below > 0 && <tr style={{ height: view.below }} />}
        </tbody>
      </table>
      {found.isFetchingNextPage && <SkeletonRows rows={2} />}
    </Listed>
  );
}

interface RowProps {
  message: Message;
  place: number;
  cursor: boolean;
  open: boolean;
  onOpen: (id: string) => void;
  cells: (message: Message) => ReactNode;
}

/** Remembered, so that scrolling draws only the rows that come into sight. */
const Row = memo(function Row({ message, place, cursor, open, onOpen, cells }: RowProps) {
  return (
    <tr data-row={place} data-cursor={cursor || undefined} data-open={open || undefined} aria-rowindex={place + 2} className="cursor-pointer" onClick={() => onOpen(message.id)}>
      <td className="h-row">
        <button type="button" className="block w-full min-w-0 text-left" onClick={() => onOpen(message.id)}>
          <Who message={message} />
        </button>
      </td>
      {cells(message)}
    </tr>
  );
});
