import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { KeyRound, Pause, TriangleAlert } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import { campaigns as campaignsQuery, mailboxes as mailboxesQuery } from '../../api/queries';
import type { AttentionGroups, Stop } from '../../api/types';
import { Button, ButtonLink } from '../../components/Button';
import { classes } from '../../components/classes';
import { Icon } from '../../components/Icon';
import { Panel } from '../../components/Panel';
import { Raw } from '../../components/Steps';
import { stopSentence } from '../../words/mailbox';
import { counted } from '../../words/number';
import { date, day } from '../../words/time';

/** Mailboxes and campaigns that send nothing until somebody does something. */
export function Stopped({ groups, now }: { groups: AttentionGroups; now: Date }) {
  const { data: boxes = [] } = useQuery(mailboxesQuery);
  const { data: pages } = useInfiniteQuery(campaignsQuery({}));
  const campaigns = pages?.pages.flatMap((page) => page.campaigns) ?? [];
  return (
    <Panel label="What stopped">
      {groups.mailboxes.map(({ mailboxId, stop, waiting }) => (
        <Item
          key={mailboxId}
          icon={stop?.reason === 'STOP_REASON_PASSWORD_REFUSED' ? KeyRound : stop?.reason === 'STOP_REASON_PAUSED' ? Pause : TriangleAlert}
          failed={stop?.reason !== 'STOP_REASON_PAUSED'}
          title={boxes.find(({ id }) => id === mailboxId)?.address ?? 'A mailbox'}
          raw={stop?.reason === 'STOP_REASON_PAUSED' ? '' : (stop?.detail ?? '')}
          end={<MailboxAction mailboxId={mailboxId} stop={stop} />}
        >
          {stop && stopSentence(stop, waiting, now)}
        </Item>
      ))}
      {groups.campaigns.map(({ campaignId, reason, sinceTime, waiting }) => {
        // Behind our own words, which the sentence says better, stands the last server's line.
        const since = date(sinceTime);
        return (
          <Item
            key={campaignId}
            icon={Pause}
            title={campaigns.find(({ id }) => id === campaignId)?.name ?? 'A campaign'}
            raw={reason.slice(reason.indexOf(': ') + 1).trim()}
            end={
              <ButtonLink size="small" to={`/campaigns/${campaignId}`}>
                Open campaign
              </ButtonLink>
            }
          >
            Paused by Maillane{since ? ` ${day(since, now)}` : ''}: servers refuse what it sends. {counted(waiting, 'email waits', 'emails wait')}. Change the text or the links, send a test, then resume.
          </Item>
        );
      })}
    </Panel>
  );
}

function MailboxAction({ mailboxId, stop }: { mailboxId: string; stop: Stop | undefined }) {
  const resume = useAct({
    changes: ['attention', 'mailboxes', 'overview', 'campaigns'],
    failed: 'Not resumed',
    run: () => call('post', '/v1/mailboxes/{mailbox_id}:resume', { path: { mailbox_id: mailboxId }, body: {} as never }),
  });
  if (stop?.reason === 'STOP_REASON_PASSWORD_REFUSED') {
    return (
      <ButtonLink size="small" to={`/mailboxes?edit=${mailboxId}`}>
        Enter a new password
      </ButtonLink>
    );
  }
  return (
    <Button size="small" busy={resume.isPending} onClick={() => resume.mutate()}>
      {stop?.reason === 'STOP_REASON_PAUSED' ? 'Resume' : 'Try again now'}
    </Button>
  );
}

function Item({ icon, failed = false, title, raw, end, children }: { icon: LucideIcon; failed?: boolean; title: string; raw: string; end: ReactNode; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-start gap-3.5 border-t border-line py-3.25 pr-4 pl-5 first:border-t-0">
      <span className={classes('mt-0.75 grid size-7.5 flex-none place-items-center rounded-[8px]', failed ? 'bg-fail-bg text-fail-ink' : 'bg-hover text-ink-2')}>
        <Icon of={icon} />
      </span>
      <div className="min-w-0 flex-1 phone:basis-[70%]">
        <strong>{title}</strong>
        <p className="text-ink-2">{children}</p>
        {raw && <Raw>{raw}</Raw>}
      </div>
      {end}
    </div>
  );
}
