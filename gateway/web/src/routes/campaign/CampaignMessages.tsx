import { useSearchParams } from 'react-router';
import type { Campaign, Mailbox, Message, MessageState } from '../../api/types';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { SearchField } from '../../components/SearchField';
import { SkeletonRows } from '../../components/Skeleton';
import { State } from '../../components/StateMark';
import { Time } from '../../components/Time';
import { FilterPill } from '../../components/Pill';
import { useRows } from '../../components/useRows';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { failure, MARKS, stateOfMessage } from '../../words/message';
import { short } from '../../words/number';
import { clockS, date, when } from '../../words/time';
import { MessageDrawer } from '../message/MessageDrawer';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';
import { Who } from '../message/Who';

const STATES = ['PENDING', 'SENDING', 'SENT', 'UNCONFIRMED', 'FAILED', 'SUPPRESSED', 'CANCELLED'];

/** The campaign's messages, in its order. */
export function CampaignMessages({ campaign, mailboxes }: { campaign: Campaign; mailboxes: readonly Mailbox[] }) {
  const now = useNow(10_000);
  const [search, setSearch] = useSearchParams();
  const state = STATES.includes(search.get('state') ?? '') ? (search.get('state') ?? '') : '';
  const query = search.get('q') ?? '';
  const list = useMessageList({ order: 'MESSAGE_ORDER_CAMPAIGN', campaignId: campaign.id, state: state ? (`MESSAGE_STATE_${state}` as MessageState) : undefined, query: query || undefined });
  const { found, rows } = list;
  const view = useRows({ length: rows.length, height: 40, hasMore: found.hasNextPage, loading: found.isFetchingNextPage, loadMore: list.loadMore });
  const set = (name: string) => (value: string) => setSearch((before) => (value ? before.set(name, value) : before.delete(name), before.delete('message'), before), { replace: true, preventScrollReset: true });
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <div className="flex items-center gap-2 px-gutter py-2.5">
        <SearchField label="Recipient" value={query} onSearch={set('q')} />
        <FilterPill name="State" value={state} onPick={set('state')} options={STATES.map((each) => ({ value: each, text: each.charAt(0) + each.slice(1).toLowerCase() }))} />
      </div>
      {found.isPending ? (
        <SkeletonRows rows={6} />
      ) : found.error && !found.data ? (
        <PageError error={found.error} onRetry={() => void found.refetch()} />
      ) : rows.length === 0 ? (
        query || state ? <NoMatch query={query} among="emails of this campaign" onClear={() => setSearch({})} /> : <EmptyState title="No recipients yet" />
      ) : (
        <table ref={view.table} className="table w-full table-fixed border-collapse" aria-rowcount={found.hasNextPage ? -1 : rows.length + 1}>
          <colgroup>
            <col className="w-[32%]" />
            <col className="w-[150px]" />
            <col className="w-[150px]" />
            <col />
          </colgroup>
          <thead>
            <tr>
              {['Recipient', 'Mailbox', 'Time', 'State'].map((name) => (
                <th key={name} scope="col">
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
              const box = mailboxes.find(({ id }) => id === message.mailboxId);
              return (
                <tr key={message.id} data-row={place} data-cursor={place === list.cursor || undefined} data-open={message.id === list.openId || undefined} aria-rowindex={place + 2} className="cursor-pointer" onClick={() => list.open(message.id)}>
                  <td className="h-row">
                    <button type="button" className="block w-full min-w-0 text-left" onClick={() => list.open(message.id)}>
                      <Who message={message} />
                    </button>
                  </td>
                  <td className="p-hide text-ink-2">{box && short(box.address)}</td>
                  <td className="text-ink-2">
                    <Moment message={message} now={now} />
                  </td>
                  <td className="p-full">
                    <Standing message={message} />
                  </td>
                </tr>
              );
            })}
            {view.below > 0 && <tr style={{ height: view.below }} />}
          </tbody>
        </table>
      )}
    </Split>
  );
}

function Moment({ message, now }: { message: Message; now: Date }) {
  const settled = date(message.settleTime ?? message.sendTime);
  if (settled) return <Time at={settled} text={when(settled, now).length === 5 ? clockS(settled) : when(settled, now)} />;
  const due = date(message.dueTime);
  return due ? <Time at={due} text={`due ${when(due, now)}`} /> : null;
}

function Standing({ message }: { message: Message }) {
  const words = stateOfMessage(message);
  const why = message.state === 'MESSAGE_STATE_FAILED' ? `: ${failure(message.lastCode, message.lastReply, message.recipient)}` : '';
  return (
    <State mark={MARKS[message.state]} tone={words.tone}>
      {words.text + why}
    </State>
  );
}
