import { useQuery } from '@tanstack/react-query';
import { audit } from '../../api/queries';
import { ApiError } from '../../api/error';
import type { AuditEntry, Campaign } from '../../api/types';
import { EmptyState } from '../../components/EmptyState';
import { SkeletonRows } from '../../components/Skeleton';
import { Step, Steps } from '../../components/Steps';
import { Time } from '../../components/Time';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { capital } from '../../words/number';
import { date, day } from '../../words/time';

const VERBS: Readonly<Record<string, string>> = {
  'campaign.create': 'Made',
  'campaign.update': 'Changed',
  'campaign.start': 'Started',
  'campaign.pause': 'Paused',
  'campaign.resume': 'Resumed',
  'campaign.cancel': 'Cancelled',
  'campaign.import': 'Recipients added',
  'campaign.retry': 'Failed emails tried again',
  'campaign.test': 'Test sent',
};

/** Who changed what, the newest first. */
export function History({ campaign }: { campaign: Campaign }) {
  const now = useNow(30_000);
  const { data, error, refetch } = useQuery(audit(`campaigns/${campaign.id}`));
  if (error instanceof ApiError && error.code === 403) return <EmptyState title="Admins see the history">It says who changed what.</EmptyState>;
  if (error && !data) return <PageError error={error} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={4} />;
  if (data.entries.length === 0) return <EmptyState title="Nothing was changed yet" />;
  return (
    <div className="max-w-[620px] px-gutter py-5">
      <Steps>
        {data.entries.map((entry) => {
          const at = date(entry.time);
          return (
            <Step key={entry.id} mark="pending" title={`${VERBS[entry.verb] ?? capital(entry.verb.replace(/^\w+\./, ''))} by ${who(entry)}`} time={at && <Time at={at} text={day(at, now)} />}>
              <Detail entry={entry} />
            </Step>
          );
        })}
      </Steps>
    </div>
  );
}

function who(entry: AuditEntry): string {
  return entry.userName || entry.tokenName || 'Maillane';
}

function Detail({ entry }: { entry: AuditEntry }) {
  const said = Object.entries(entry.detail).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${value}`);
  return said.length > 0 ? <p className="text-12 text-ink-3">{said.join(' · ')}</p> : null;
}
