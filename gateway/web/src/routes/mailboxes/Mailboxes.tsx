import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useEffect } from 'react';
import { useLocation, useSearchParams } from 'react-router';
import { campaigns, catcher as catcherQuery, mailboxes as mailboxesQuery, usage } from '../../api/queries';
import { Button } from '../../components/Button';
import { Columns } from '../../components/Columns';
import { EmptyRoad, EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SkeletonRows } from '../../components/Skeleton';
import { Listed } from '../../shell/Listed';
import { useNow } from '../../useNow';
import { startsOf } from '../../words/campaign';
import { counted } from '../../words/number';
import { isStopped } from '../../words/mailbox';
import { zoneName } from '../../words/time';
import { useWaiting } from './useWaiting';
import { MailboxDialog } from './MailboxDialog';
import { MailboxRow } from './MailboxRow';
import { isCaught } from './presets';
import { UseCatcher } from './UseCatcher';

export function Screen() {
  const now = useNow();
  const { hash } = useLocation();
  const [search, setSearch] = useSearchParams();
  const found = useQuery(mailboxesQuery);
  const { data } = found;
  const { data: used } = useQuery(usage({}));
  const { data: catcher } = useQuery(catcherQuery);
  const waiting = useWaiting();
  const starts = useStarts(now);
  const edited = data?.find(({ id }) => id === search.get('edit'));
  const show = (given: Record<string, string>) => setSearch(given, { replace: true });
  useEffect(() => {
    if (hash && data) document.getElementById(`mailbox-${hash.slice(1)}`)?.scrollIntoView({ block: 'center' });
  }, [hash, data !== undefined]);
  const hourly = data?.reduce((sum, mailbox) => sum + (isStopped(mailbox.stop, now) ? 0 : (mailbox.hourlyLimit ?? 0)), 0) ?? 0;
  return (
    <>
      <Head
        title="Mailboxes"
        fact={data && data.length > 0 && `${counted(data.length, 'lane')}, up to ${counted(hourly, 'email')} an hour`}
        actions={
          <Button icon={<Icon of={Plus} />} onClick={() => show({ add: '1' })}>
            Add mailbox
          </Button>
        }
      />
      <Listed
        found={found}
        isEmpty={data?.length === 0}
        skeleton={<SkeletonRows height={66} two />}
        empty={
          <EmptyState
            title="No mailbox yet"
            art={<EmptyRoad />}
            actions={
              <>
                <Button kind="primary" onClick={() => show({ add: '1' })}>
                  Add mailbox
                </Button>
                {catcher && <UseCatcher catcher={catcher} />}
              </>
            }
          >
            A mailbox is what emails leave from.{catcher && ' To try it without one, use the catcher on this machine: nothing leaves it.'}
          </EmptyState>
        }
      >
        <table className="table w-full table-fixed border-collapse">
          <colgroup>
            <col className="w-[25%]" />
            <col />
            <col className="w-[156px]" />
            <col className="w-[156px]" />
            <col className="w-[132px]" />
            <col className="w-[64px]" />
          </colgroup>
          <Columns names={['Mailbox', 'State', 'This hour', 'Today', 'Pace']} />
          <tbody>
            {data?.map((mailbox) => (
              <MailboxRow
                key={mailbox.id}
                mailbox={mailbox}
                caught={isCaught(mailbox, catcher ?? undefined) ? catcher?.url : undefined}
                usage={used?.mailboxes.find(({ mailboxId }) => mailboxId === mailbox.id)}
                waiting={waiting(mailbox.id)}
                starts={starts(mailbox.id)}
                others={data.filter(({ id }) => id !== mailbox.id)}
                now={now}
                onEdit={() => show({ edit: mailbox.id })}
              />
            ))}
          </tbody>
        </table>
        <p className="px-gutter pt-4 pb-3 text-12 text-ink-3">
          A limit holds for all campaigns of a mailbox together, and is never passed. Days are counted in UTC; times here are of {zoneName()}.
        </p>
      </Listed>
      {(search.get('add') || edited) && <MailboxDialog key={edited?.id ?? 'new'} mailbox={edited} catcher={catcher ?? undefined} now={now} onClose={() => show({})} />}
    </>
  );
}

/** When a mailbox has its first email to send, where all are for later; not told where there are more campaigns than a page has. */
function useStarts(now: Date): (mailboxId: string) => Date | undefined {
  const { data, hasNextPage } = useInfiniteQuery(campaigns({ state: 'CAMPAIGN_STATE_ACTIVE' }));
  const active = hasNextPage ? [] : (data?.pages.flatMap((page) => page.campaigns) ?? []);
  return (mailboxId) => startsOf(mailboxId, active, now);
}
