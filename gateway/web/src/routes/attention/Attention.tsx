import { useQuery } from '@tanstack/react-query';
import { Inbox } from 'lucide-react';
import { attention, overview } from '../../api/queries';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SkeletonRows } from '../../components/Skeleton';
import { StateMark } from '../../components/StateMark';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { count, counted } from '../../words/number';
import { Failures } from './Failures';
import { Stopped } from './Stopped';
import { Unconfirmed } from './Unconfirmed';

/** What waits for a decision of a person. */
export function Screen() {
  const now = useNow(10_000);
  const { data, error, refetch } = useQuery(attention);
  const { data: counts } = useQuery(overview);
  if (!data) {
    return (
      <>
        <Head title="Needs attention" />
        {error ? <PageError error={error} onRetry={() => void refetch()} /> : <SkeletonRows height={54} two />}
      </>
    );
  }
  const unconfirmed = data.unconfirmed.reduce((sum, group) => sum + group.count, 0);
  const stopped = data.mailboxes.length + data.campaigns.length;
  const failed = data.failures.reduce((sum, group) => sum + group.count, 0);
  return (
    <>
      <Head title="Needs attention" fact={data.decisions > 0 ? `${counted(data.decisions, 'decision waits', 'decisions wait')} for you` : undefined} />
      {unconfirmed + stopped + failed === 0 && (
        <EmptyState title="Nothing needs you" mark="done">
          Unconfirmed emails, failures worth another try and mailboxes with trouble would be here.
          {counts && counts.sent > 0 && ` ${counted(counts.sent, 'email was', 'emails were')} sent so far.`}
        </EmptyState>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-6.5 px-gutter">
        {unconfirmed > 0 && (
          <section aria-labelledby="unconfirmed">
            <h2 id="unconfirmed" className="mb-2.5 flex items-center gap-2 font-semibold">
              <StateMark mark="unsure" /> Unconfirmed <span className="font-normal text-ink-3">{counted(unconfirmed, 'email')}</span>
            </h2>
            <Unconfirmed now={now} />
          </section>
        )}
        {stopped > 0 && (
          <section aria-labelledby="stopped">
            <h2 id="stopped" className="mb-2.5 flex items-center gap-2 font-semibold">
              <Icon of={Inbox} small className="text-ink-2" /> Mailboxes and campaigns that stopped <span className="font-normal text-ink-3">{count(stopped)}</span>
            </h2>
            <Stopped groups={data} now={now} />
          </section>
        )}
        {failed > 0 && (
          <section aria-labelledby="failed">
            <h2 id="failed" className="mb-2.5 flex items-center gap-2 font-semibold">
              <StateMark mark="failed" /> Failed <span className="font-normal text-ink-3">{counted(failed, 'email')} of the last 7 days, by reason</span>
            </h2>
            <Failures groups={data.failures} />
          </section>
        )}
      </div>
    </>
  );
}
