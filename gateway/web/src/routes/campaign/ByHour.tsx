import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { usage } from '../../api/queries';
import type { Campaign, Mailbox, UsageHour } from '../../api/types';
import { Button } from '../../components/Button';
import { HourChart, HourTable } from '../../components/HourChart';
import type { HourBar } from '../../components/HourChart';
import { Key } from '../../components/Lanes';
import { Panel } from '../../components/Panel';
import { count, counted } from '../../words/number';
import { clock, date, when } from '../../words/time';

const HOUR = 3_600_000;
/** What came before and what comes later stays out: ten to twenty bars can be read. */
const BEHIND = 12 * HOUR;
const AHEAD = 12 * HOUR;

/** Sent and planned, by the hour. */
export function ByHour({ campaign, mailboxes, now }: { campaign: Campaign; mailboxes: readonly Mailbox[]; now: Date }) {
  const [asTable, setAsTable] = useState(false);
  const middle = Math.floor((date(campaign.endTime)?.getTime() ?? now.getTime()) / HOUR) * HOUR;
  const { data } = useQuery(usage({ campaignId: campaign.id, startTime: new Date(middle - BEHIND).toISOString(), endTime: new Date(middle + AHEAD).toISOString() }));
  const bars = barsOf(data?.hours ?? [], now);
  if (bars.length === 0) return null;
  const hourly = Math.min(campaign.hourlyLimit ?? Number.POSITIVE_INFINITY, mailboxes.reduce((sum, mailbox) => sum + (mailbox.hourlyLimit ?? 0), 0));
  const limit = hourly > 0 && Number.isFinite(hourly) ? hourly : undefined;
  const total = (part: 'sent' | 'planned') => bars.reduce((sum, bar) => sum + bar[part], 0);
  return (
    <Panel
      title="By hour"
      end={
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-12 text-ink-3">
          <Key look="bg-mail-400" text="sent" />
          <Key look="bg-mail-50 shadow-[inset_0_0_0_1.2px_var(--color-mail-400)]" text="planned" />
          <Key look="bg-fail" text="failed" />
          <Key look="bg-unsure" text="unconfirmed" />
          {limit && <span className="inline-flex items-center gap-1.5 before:w-3.5 before:border-t before:border-dashed before:border-ink-3">limit of {campaign.hourlyLimit === limit ? 'the campaign' : counted(mailboxes.length, 'mailbox', 'mailboxes')}, {count(limit)}</span>}
          <Button kind="quiet" size="small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? 'Show as chart' : 'Show as table'}
          </Button>
        </div>
      }
    >
      <div className="px-4 pb-4">
        {asTable ? <HourTable bars={bars} /> : <HourChart bars={bars} limit={limit} label={`By hour: ${count(total('sent'))} sent, ${count(total('planned'))} planned`} />}
      </div>
    </Panel>
  );
}

/** Every hour from the first to the last that has something, so that a gap is seen as one. */
export function barsOf(hours: readonly UsageHour[], now: Date): HourBar[] {
  const byStart = new Map(hours.map((hour) => [date(hour.startTime)?.getTime() ?? 0, hour]));
  const starts = [...byStart.keys()].sort((one, other) => one - other);
  const [first, last] = [starts[0], starts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const bars: HourBar[] = [];
  for (let at = first; at <= last; at += HOUR) {
    const start = new Date(at);
    const { sent = 0, failed = 0, unconfirmed = 0, planned = 0 } = byStart.get(at) ?? {};
    const isToday = when(start, now).length === 5;
    bars.push({ label: isToday ? clock(start) : when(start, now), sent, failed, unconfirmed, planned, current: at <= now.getTime() && now.getTime() < at + HOUR });
  }
  return bars;
}
