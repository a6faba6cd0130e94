import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { campaigns as campaignsQuery, mailboxes as mailboxesQuery, messages } from '../../api/queries';
import type { Message } from '../../api/types';
import { Button } from '../../components/Button';
import { Check } from '../../components/Field';
import { Panel } from '../../components/Panel';
import { useCursor } from '../../components/useCursor';
import { useKeys } from '../../shell/shortcuts';
import { capital, count, short } from '../../words/number';
import { date, day } from '../../words/time';
import { Two } from '../campaigns/CampaignRow';
import { ResolveDialog } from './ResolveDialog';
import type { Resolution } from './useResolve';

const STAGES = [
  ['Connected', 'encrypted, signed in'],
  ['Address accepted', 'sender and recipient'],
  ['Content handed over', 'at least in part'],
] as const;

/** What unconfirmed means, and each of them to be decided, one by one or together. */
export function Unconfirmed({ now }: { now: Date }) {
  const found = useInfiniteQuery(messages({ order: 'MESSAGE_ORDER_LATEST', state: 'MESSAGE_STATE_UNCONFIRMED' }));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<{ messages: readonly Message[]; resolution: Resolution } | undefined>();
  const rows = found.data?.pages.flatMap((page) => page.messages) ?? [];
  const selected = rows.filter(({ id }) => chosen.has(id));
  const choose = (ids: readonly string[], on: boolean) => setChosen(new Set(on ? [...chosen, ...ids] : [...chosen].filter((id) => !ids.includes(id))));
  const ask = (given: readonly Message[], resolution: Resolution) => () => setAsked({ messages: given, resolution });
  const toggle = (place: number) => rows[place] && choose([rows[place].id], !chosen.has(rows[place].id));
  const cursor = useCursor(rows.length, toggle);
  const last = useRef(0);
  useKeys({
    x: ({ shiftKey }) => {
      if (cursor < 0) return;
      const [from, to] = [Math.min(last.current, cursor), Math.max(last.current, cursor)];
      if (shiftKey) choose(rows.slice(from, to + 1).map(({ id }) => id), true);
      else toggle(cursor);
      last.current = cursor;
    },
    r: () => {
      const given = selected.length > 0 ? selected : rows.slice(cursor, cursor + 1);
      if (cursor >= 0 || selected.length > 0) setAsked({ messages: given, resolution: 'RESOLUTION_RESEND' });
    },
  });
  return (
    <Panel label="Unconfirmed emails">
      <div className="grid grid-cols-[minmax(0,1fr)_minmax(0,540px)] items-center gap-7 px-5 pt-4.5 pb-5 narrow:grid-cols-1 narrow:gap-4.5">
        <div>
          <p className="mb-1 text-14 font-semibold">The server hung up before answering. We have not sent these again.</p>
          <p className="text-ink-2">
            The email was handed over, then the connection was lost. It may have arrived, or not: nobody can know from here. Sending again may deliver it twice. If you do nothing, it stays as it is.
          </p>
        </div>
        <ol aria-label="Where the connection was lost" className="grid grid-cols-4 gap-1.5 text-12 text-ink-3 phone:grid-cols-2 phone:gap-y-3">
          {STAGES.map(([title, more]) => (
            <li key={title} className="border-t-3 border-mail pt-2.25">
              <strong className="block text-ink">{title}</strong>
              {more}
            </li>
          ))}
          <li className="border-t-3 border-dashed border-unsure pt-2.25">
            <strong className="block text-unsure-ink">No answer</strong>
            connection lost
          </li>
        </ol>
      </div>
      <table className="table w-full table-fixed border-collapse border-t border-line [&_tr:last-child>td]:border-b-0 [&_tr>:first-child]:pl-5! [&_tr>:last-child]:pr-4! phone:[&_tr[data-row]]:grid-cols-[24px_minmax(0,1fr)] phone:[&_tr[data-row]]:pr-4 phone:[&_tr[data-row]]:pl-5">
        <colgroup>
          <col className="w-12" />
          <col className="w-[22%]" />
          <col />
          <col className="w-[264px] narrow:w-[168px]" />
          <col className="w-[234px]" />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">
              <Check label="Select all" checked={rows.length > 0 && selected.length === rows.length} onChange={(event) => choose(rows.map(({ id }) => id), event.target.checked)} />
            </th>
            <th scope="col">Recipient</th>
            <th scope="col">Email</th>
            <th scope="col">What we saw</th>
            <th scope="col">
              <span className="sr-only">Decide</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((message, place) => (
            <Row key={message.id} message={message} place={place} cursor={place === cursor} now={now} checked={chosen.has(message.id)} onCheck={(on) => choose([message.id], on)} onAsk={(resolution) => setAsked({ messages: [message], resolution })} />
          ))}
        </tbody>
      </table>
      {(selected.length > 0 || found.hasNextPage) && (
        <div className="flex flex-wrap items-center gap-2 rounded-b-3 border-t border-line bg-desk py-2.25 pr-4 pl-5 text-ink-2">
          {selected.length > 0 && (
            <>
              <span>{count(selected.length)} selected</span>
              <Button size="small" onClick={ask(selected, 'RESOLUTION_ACCEPT')}>
                Count as sent
              </Button>
              <Button size="small" onClick={ask(selected, 'RESOLUTION_RESEND')}>
                Send again…
              </Button>
            </>
          )}
          {found.hasNextPage && (
            <Button kind="quiet" size="small" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
              Show more
            </Button>
          )}
        </div>
      )}
      {asked && <ResolveDialog {...asked} onClose={() => (setAsked(undefined), setChosen(new Set()))} />}
    </Panel>
  );
}

interface RowProps {
  message: Message;
  place: number;
  cursor: boolean;
  now: Date;
  checked: boolean;
  onCheck: (on: boolean) => void;
  onAsk: (resolution: Resolution) => void;
}

function Row({ message, place, cursor, now, checked, onCheck, onAsk }: RowProps) {
  const { data: boxes = [] } = useQuery(mailboxesQuery);
  const { data: pages } = useInfiniteQuery(campaignsQuery({}));
  const name = pages?.pages.flatMap((page) => page.campaigns).find(({ id }) => id === message.campaignId)?.name;
  const box = boxes.find(({ id }) => id === message.mailboxId);
  const at = date(message.settleTime);
  return (
    <tr data-row={place} data-cursor={cursor || undefined} aria-selected={checked}>
      <td className="h-row-2 phone:self-start">
        <Check label={`Select ${message.recipient}`} checked={checked} onChange={(event) => onCheck(event.target.checked)} />
      </td>
      <td>{message.recipientName ? <Two first={message.recipientName} second={message.recipient} strong /> : <strong className="block truncate">{message.recipient}</strong>}</td>
      <td className="phone:col-start-2">
        <Two first={message.subject} second={[name, box && `from ${short(box.address)}`].filter(Boolean).join(', ')} />
      </td>
      <td className="phone:col-start-2">
        <Two first={at ? capital(day(at, now)) : ''} second={capital(message.lastReply)} />
      </td>
      <td className="num phone:col-start-2 phone:pt-1.5! phone:text-left">
        <Button size="small" onClick={() => onAsk('RESOLUTION_ACCEPT')}>
          Count as sent
        </Button>{' '}
        <Button size="small" onClick={() => onAsk('RESOLUTION_RESEND')}>
          Send again…
        </Button>
      </td>
    </tr>
  );
}
