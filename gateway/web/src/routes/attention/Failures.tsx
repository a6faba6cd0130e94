import { useInfiniteQuery } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import { campaigns as campaignsQuery } from '../../api/queries';
import type { FailureGroup } from '../../api/types';
import { Button, ButtonLink } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { Panel } from '../../components/Panel';
import { toast } from '../../components/Toasts';
import { count, counted } from '../../words/number';

const WORDS: Readonly<Record<FailureGroup['kind'], readonly [string, string]>> = {
  FAILURE_KIND_UNSPECIFIED: ['Failed', ''],
  FAILURE_KIND_TEMPORARY: ['Their server was busy at every try', 'Worth another try.'],
  FAILURE_KIND_MAILBOX_FULL: ['Their mailbox is full', 'Worth another try tomorrow.'],
  FAILURE_KIND_NO_SUCH_ADDRESS: ['No such address', 'Suppressed, so that no campaign writes to them again. Nothing to do.'],
  FAILURE_KIND_REFUSED: ['Refused as unwanted', 'The text or the links have to change first.'],
  FAILURE_KIND_OTHER: ['Refused for another reason', ''],
};

/** Calls of one retry: each takes a bounded number of emails. */
const MOST_CALLS = 50;

/** What failed, by reason; tried again where that is worth it. */
export function Failures({ groups }: { groups: readonly FailureGroup[] }) {
  const { data: pages } = useInfiniteQuery(campaignsQuery({}));
  const campaigns = pages?.pages.flatMap((page) => page.campaigns) ?? [];
  return (
    <Panel label="Failures">
      {groups.map((group) => (
        <Group key={`${group.campaignId} ${group.kind} ${group.code}`} group={group} campaign={campaigns.find(({ id }) => id === group.campaignId)?.name ?? ''} />
      ))}
    </Panel>
  );
}

function Group({ group, campaign }: { group: FailureGroup; campaign: string }) {
  const [title, meaning] = WORDS[group.kind];
  const retry = useAct({
    changes: ['attention', 'messages', 'overview', 'campaigns', 'campaign'],
    failed: 'Not tried again',
    run: async () => {
      let retried = 0;
      for (let calls = 0; calls < MOST_CALLS; calls++) {
        const answer = await call('post', '/v1/messages:retry', { body: { campaignId: group.campaignId, code: group.code } });
        retried += answer.retried;
        if (!answer.more) break;
      }
      return retried;
    },
    onDone: (retried) => toast({ text: `${counted(retried, 'email')} will be tried again`, mark: 'scheduled' }),
  });
  return (
    <div className="flex flex-wrap items-start gap-3.5 border-t border-line py-3.25 pr-4 pl-5 first:border-t-0">
      <strong className="w-7.5 flex-none pr-1.5 text-right text-[15px]">{count(group.count)}</strong>
      <div className="min-w-0 flex-1 phone:basis-[70%]">
        <strong>{title}</strong>
        <p className="text-ink-2">
          {meaning} <span className="text-ink-3">{campaign}</span>
        </p>
        {group.reply && <p className="truncate font-mono text-[11.5px] text-ink-3">{group.reply}</p>}
      </div>
      <ButtonLink kind="quiet" size="small" to={`/sent?state=failed&campaign=${group.campaignId}`}>
        Show
      </ButtonLink>
      {group.worthRetry && (
        <Button size="small" icon={<Icon of={RefreshCw} small />} busy={retry.isPending} onClick={() => retry.mutate()}>
          Try {count(group.count)} again
        </Button>
      )}
    </div>
  );
}
