import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import type { Campaign, Mailbox, Message, MessageState } from '../../api/types';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { FilterPill } from '../../components/Pill';
import { State } from '../../components/StateMark';
import { Time } from '../../components/Time';
import { useNow } from '../../useNow';
import { stands } from '../../words/campaign';
import { failure, MARKS, stateOfMessage } from '../../words/message';
import { capital, short } from '../../words/number';
import { date, precise, when } from '../../words/time';
import { Find, useFilter, useFilterSetter } from '../message/Filters';
import { MessageDrawer } from '../message/LazyDrawer';
import { MessageTable } from '../message/MessageTable';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';

const STATES = ['PENDING', 'SENDING', 'SENT', 'UNCONFIRMED', 'FAILED', 'SUPPRESSED', 'CANCELLED'];

/** The campaign's messages, in its order. */
export function CampaignMessages({ campaign, mailboxes }: { campaign: Campaign; mailboxes: readonly Mailbox[] }) {
  const now = useNow(10_000);
  const [search, setSearch] = useSearchParams();
  const set = useFilterSetter();
  const state = STATES.includes(search.get('state') ?? '') ? (search.get('state') ?? '') : '';
  const { query } = useFilter();
  const list = useMessageList({ order: 'MESSAGE_ORDER_CAMPAIGN', campaignId: campaign.id, state: state ? (`MESSAGE_STATE_${state}` as MessageState) : undefined, query });
  const cells = useCallback((message: Message) => <Cells message={message} campaign={campaign} mailbox={mailboxes.find(({ id }) => id === message.mailboxId)} now={now} />, [campaign, mailboxes, now]);
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <div className="flex items-center gap-2 px-gutter py-2.5">
        <Find />
        <FilterPill name="State" value={state} onPick={(value) => set('state', value)} options={STATES.map((each) => ({ value: each, text: capital(each.toLowerCase()) }))} />
      </div>
      <MessageTable
        list={list}
        skeleton={6}
        recipient="w-[32%]"
        columns={[{ name: 'Mailbox', width: 'w-[150px]' }, { name: 'Time', width: 'w-[150px]' }, { name: 'State' }]}
        cells={cells}
        empty={query || state ? <NoMatch query={query} among="emails of this campaign" onClear={() => setSearch({})} /> : <EmptyState title="No recipients yet" />}
      />
    </Split>
  );
}

function Cells({ message, campaign, mailbox, now }: { message: Message; campaign: Campaign; mailbox: Mailbox | undefined; now: Date }) {
  const words = stateOfMessage(message);
  const due = date(message.dueTime);
  const settled = date(message.settleTime ?? message.sendTime);
  const late = message.state === 'MESSAGE_STATE_PENDING' && due !== undefined && due <= now ? stands(campaign, mailbox, now) : undefined;
  const why = message.state === 'MESSAGE_STATE_FAILED' ? `: ${failure(message.lastCode, message.lastReply, message.recipient)}` : '';
  return (
    <>
      <td className="p-hide text-ink-2">{mailbox && short(mailbox.address)}</td>
      <td className="text-ink-2 phone:text-12">{settled ? <Time at={settled} text={precise(settled, now)} /> : due && <Time at={due} text={`due ${when(due, now)}`} />}</td>
      <td className="p-full phone:text-12">
        <State mark={MARKS[message.state]} tone={words.tone}>
          {late ?? words.text + why}
        </State>
      </td>
    </>
  );
}
