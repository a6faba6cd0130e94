import { useQuery } from '@tanstack/react-query';
import { CalendarDays, X } from 'lucide-react';
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import { attention, overview, usage } from '../../api/queries';
import type { Message, MessageState } from '../../api/types';
import { classes } from '../../components/classes';
import { Split } from '../../components/Drawer';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { State } from '../../components/StateMark';
import { Tabs } from '../../components/Tabs';
import { Time } from '../../components/Time';
import { useNow } from '../../useNow';
import { failure, stateOfMessage } from '../../words/message';
import { count } from '../../words/number';
import { date, precise } from '../../words/time';
import { ExportLink, FilterBar, Find, tabPath, useFilter, useFilterSetter } from '../message/Filters';
import { MessageDrawer } from '../message/LazyDrawer';
import { MessageTable } from '../message/MessageTable';
import { NoMatch } from '../message/NoMatch';
import { useMessageList } from '../message/useMessageList';

const ORDER = 'MESSAGE_ORDER_LATEST';

const TABS: readonly { key: string; text: string; state: MessageState }[] = [
  { key: 'sent', text: 'Sent', state: 'MESSAGE_STATE_SENT' },
  { key: 'unconfirmed', text: 'Unconfirmed', state: 'MESSAGE_STATE_UNCONFIRMED' },
  { key: 'failed', text: 'Failed', state: 'MESSAGE_STATE_FAILED' },
];

/** What was sent, failed or is unconfirmed, the latest first. */
export function Screen() {
  const now = useNow(10_000);
  const [search, setSearch] = useSearchParams();
  const set = useFilterSetter();
  const tab = TABS.find(({ key }) => key === search.get('state'));
  const today = search.get('day') === 'today';
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
  const filter = { order: ORDER, ...useFilter(), state: tab?.state, startTime: today ? midnight : undefined } as const;
  const { data: groups } = useQuery(attention);
  const list = useMessageList(filter);
  const narrow = list.openId !== undefined;
  const cells = useCallback((message: Message) => <Cells message={message} narrow={narrow} now={now} />, [narrow, now]);
  const narrowed = Boolean(filter.query || filter.campaignId || filter.mailboxId || today);
  const unconfirmed = groups?.unconfirmed.reduce((sum, group) => sum + group.count, 0) ?? 0;
  return (
    <Split drawer={list.openId && <MessageDrawer key={list.openId} id={list.openId} fact={list.placeOf(undefined)} onClose={() => list.open(undefined)} onPrevious={list.onPrevious} onNext={list.onNext} />}>
      <Head
        title="Sent"
        fact={<Fact midnight={midnight} />}
        actions={
          <>
            <Find narrow={narrow} />
            <ExportLink filter={filter} square={narrow} />
          </>
        }
      />
      <FilterBar narrow={narrow} more={<Today on={today} onChange={(on) => set('day', on ? 'today' : '')} />}>
        <Tabs
          label="State"
          current={tab?.key ?? 'all'}
          tabs={[
            { key: 'all', text: 'All', to: tabPath(search, 'state', '') },
            ...TABS.map(({ key, text }) => ({ key, text, count: key === 'unconfirmed' && unconfirmed > 0 ? count(unconfirmed) : undefined, to: tabPath(search, 'state', key) })),
          ]}
        />
      </FilterBar>
      <MessageTable
        list={list}
        skeleton={14}
        columns={[{ name: 'Subject' }, { name: 'State', width: narrow ? 'w-[150px]' : 'w-[300px] narrow:w-[220px]' }, { name: 'Time', width: 'w-[120px]', right: true }]}
        cells={cells}
        empty={
          narrowed || tab ? (
            <NoMatch query={filter.query} among={today ? 'emails of today' : 'emails that left'} onClear={() => setSearch({})} wider={today ? { text: 'Search all days', run: () => set('day', '') } : undefined} />
          ) : (
            <EmptyState title="Nothing was sent yet">Each email is here from the moment it left, with its story.</EmptyState>
          )
        }
      />
    </Split>
  );
}

function Cells({ message, narrow, now }: { message: Message; narrow: boolean; now: Date }) {
  const at = date(message.settleTime ?? message.sendTime);
  const words = stateOfMessage(message);
  const why = message.state === 'MESSAGE_STATE_FAILED' && !narrow ? `: ${failure(message.lastCode, message.lastReply, message.recipient)}` : '';
  return (
    <>
      <td className="p-full text-ink-2 phone:order-2">{message.subject}</td>
      <td className="p-full phone:order-3 phone:text-12">
        <State mark={words.mark} tone={words.tone}>
          {words.text + why}
        </State>
      </td>
      <td className="num text-ink-2 phone:order-1 phone:text-12">{at && <Time at={at} text={precise(at, now)} />}</td>
    </>
  );
}

/** 971 today, 48,210 in all */
function Fact({ midnight }: { midnight: string }) {
  const { data: counts } = useQuery(overview);
  const { data: used } = useQuery(usage({ startTime: midnight }));
  const today = used?.hours.reduce((sum, hour) => sum + hour.sent, 0);
  if (!counts) return null;
  return `${today === undefined ? '' : `${count(today)} today, `}${count(counts.sent)} in all`;
}

function Today({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={() => onChange(!on)}
      className={classes('inline-flex h-7 flex-none items-center gap-1.5 rounded-2 border border-line-2 px-2.5 text-12 hover:bg-hover phone:h-9', on ? 'bg-hover text-ink' : 'text-ink-2')}
    >
      <Icon of={on ? X : CalendarDays} small />
      Today
    </button>
  );
}
