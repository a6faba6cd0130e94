/** What a campaign is doing, in words. */

import type { Campaign, Mailbox } from '../api/types';
import type { Mark } from '../components/StateMark';
import { count, counted, short } from './number';
import { isStopped } from './mailbox';
import { date, day, inWords, seconds, span, when } from './time';

export interface CampaignWords {
  mark: Mark;
  text: string;
  tone: 'plain' | 'mail' | 'park' | 'fail';
}

export type Group = 'active' | 'scheduled' | 'paused' | 'draft' | 'completed' | 'cancelled';

export const GROUPS: readonly { key: Group; title: string }[] = [
  { key: 'active', title: 'Active' },
  { key: 'scheduled', title: 'Scheduled' },
  { key: 'paused', title: 'Paused' },
  { key: 'draft', title: 'Drafts' },
  { key: 'completed', title: 'Completed' },
  { key: 'cancelled', title: 'Cancelled' },
];

/** Where the list puts it: active with a start ahead is scheduled. */
export function groupOf(campaign: Campaign, now: Date): Group {
  switch (campaign.state) {
    case 'CAMPAIGN_STATE_ACTIVE':
      return startsAhead(campaign, now) ? 'scheduled' : 'active';
    case 'CAMPAIGN_STATE_PAUSED':
      return 'paused';
    case 'CAMPAIGN_STATE_COMPLETED':
      return 'completed';
    case 'CAMPAIGN_STATE_CANCELLED':
      return 'cancelled';
    default:
      return 'draft';
  }
}

/** Its state: Draft, Starts 15:15, Sending, Parked, Mailbox stopped, Paused by Mira, Completed, Cancelled. */
export function stateOf(campaign: Campaign, mailboxes: readonly Mailbox[], now: Date): CampaignWords {
  switch (groupOf(campaign, now)) {
    case 'scheduled':
      return { mark: 'scheduled', text: `Starts ${when(date(campaign.startTime) ?? now, now)}`, tone: 'plain' };
    case 'active':
      return sending(mailboxesOf(campaign, mailboxes), now);
    case 'paused':
      return { mark: 'paused', text: `Paused by ${campaign.stateActor || 'Maillane'}`, tone: 'plain' };
    case 'completed':
      return { mark: 'done', text: 'Completed', tone: 'plain' };
    case 'cancelled':
      return { mark: 'cancelled', text: 'Cancelled', tone: 'plain' };
    default:
      return { mark: 'draft', text: 'Draft', tone: 'plain' };
  }
}

/** Why what is due in a mailbox has not left, where the mailbox or the campaign is why. */
export function stands(campaign: Campaign, mailbox: Mailbox | undefined, now: Date): string | undefined {
  if (campaign.state === 'CAMPAIGN_STATE_PAUSED') return 'Waits: the campaign is paused';
  if (!mailbox) return undefined;
  if (isStopped(mailbox.stop, now)) return `Waits: ${stoppedWords(mailbox)}`;
  const [park] = mailbox.parks;
  const lifted = date(park?.untilTime);
  if (!park || !lifted || lifted <= now) return undefined;
  return park.reason === 'PARK_REASON_LIMIT'
    ? `Waits for the limit of ${short(mailbox.address)} until ${when(lifted, now)}`
    : `Waits until ${when(lifted, now)}: the server of ${short(mailbox.address)} asked us to slow down`;
}

function sending(used: readonly Mailbox[], now: Date): CampaignWords {
  if (used.length > 0 && used.every((mailbox) => isStopped(mailbox.stop, now))) return { mark: 'failed', text: 'Mailbox stopped', tone: 'fail' };
  if (used.length > 0 && used.every((mailbox) => mailbox.parks.length > 0)) {
    return { mark: 'parked', text: 'Parked', tone: 'park' };
  }
  return { mark: 'sending', text: 'Sending', tone: 'mail' };
}

/** What happens next, in two lines. */
export function nextOf(campaign: Campaign, mailboxes: readonly Mailbox[], now: Date): [string, string] {
  const used = mailboxesOf(campaign, mailboxes);
  const end = date(campaign.expectedEndTime);
  switch (groupOf(campaign, now)) {
    case 'active':
      return activeNext(used, end, now);
    case 'scheduled': {
      const starts = `Starts ${inWords(date(campaign.startTime) ?? now, now)}`;
      return [end ? `${starts}, ends ${when(end, now)}` : starts, paceOf(campaign, used)];
    }
    case 'paused':
      return campaign.stateActor
        ? ['Waits for you', `${counted(waitingOf(campaign), 'email')} to go`]
        : ['Waits for you', 'Servers refuse it. Check the text'];
    case 'completed':
    case 'cancelled': {
      const ended = date(campaign.endTime);
      return ['', ended ? `${campaign.state === 'CAMPAIGN_STATE_COMPLETED' ? 'Ended' : 'Cancelled'} ${day(ended, now)}` : ''];
    }
    default:
      return ['', `Made ${day(date(campaign.createTime) ?? now, now)}`];
  }
}

function activeNext(used: readonly Mailbox[], end: Date | undefined, now: Date): [string, string] {
  const stopped = used.find((mailbox) => isStopped(mailbox.stop, now));
  const parked = used.filter((mailbox) => !isStopped(mailbox.stop, now) && mailbox.parks.length > 0);
  if (stopped && used.every((mailbox) => isStopped(mailbox.stop, now))) return ['Waits for you', stoppedWords(stopped)];
  const first = end ? `Ends ${day(end, now)}` : 'End not known';
  if (stopped) return [first, stoppedWords(stopped)];
  const [soonest] = parked.flatMap((mailbox) => date(mailbox.parks[0]?.untilTime) ?? []).sort((one, other) => one.getTime() - other.getTime());
  if (!soonest) return [first, ''];
  if (used.length === 1) return [first, `Parked until ${when(soonest, now)}`];
  return [first, `${parked.length} of ${used.length} parked, the first until ${when(soonest, now)}`];
}

function stoppedWords(mailbox: Mailbox): string {
  switch (mailbox.stop?.reason) {
    case 'STOP_REASON_PASSWORD_REFUSED':
      return `${short(mailbox.address)} needs a new password`;
    case 'STOP_REASON_PAUSED':
      return `${short(mailbox.address)} is paused`;
    default:
      return `The server of ${short(mailbox.address)} takes nothing`;
  }
}

/** 45 s between emails, no campaign limit */
export function paceOf(campaign: Campaign, used: readonly Mailbox[]): string {
  const delay = seconds(campaign.delay);
  const apart = delay > 0 ? `${span(delay)} between emails` : 'No delay between emails';
  if (campaign.hourlyLimit) return `${apart}, at most ${count(campaign.hourlyLimit)} an hour`;
  const hourly = used.reduce((sum, mailbox) => sum + (mailbox.hourlyLimit ?? 0), 0);
  return hourly > 0 ? `${apart}, up to ${count(hourly)} an hour` : apart;
}

/** sales@ +2 */
export function mailboxesText(campaign: Campaign, mailboxes: readonly Mailbox[]): string {
  const [first] = mailboxesOf(campaign, mailboxes);
  if (!first) return campaign.mailboxIds.length > 0 ? counted(campaign.mailboxIds.length, 'mailbox', 'mailboxes') : '';
  const more = campaign.mailboxIds.length - 1;
  return `${short(first.address)}${more > 0 ? ` +${more}` : ''}`;
}

export function mailboxesOf(campaign: Campaign, mailboxes: readonly Mailbox[]): Mailbox[] {
  return campaign.mailboxIds.flatMap((id) => mailboxes.find((mailbox) => mailbox.id === id) ?? []);
}

export function waitingOf(campaign: Campaign): number {
  return campaign.counts?.pending ?? 0;
}

/** When the first email of a mailbox may leave, where all its active campaigns start later. */
export function startsOf(mailboxId: string, campaigns: readonly Campaign[], now: Date): Date | undefined {
  const active = campaigns.filter((campaign) => campaign.state === 'CAMPAIGN_STATE_ACTIVE' && campaign.mailboxIds.includes(mailboxId) && waitingOf(campaign) > 0);
  if (!active.every((campaign) => startsAhead(campaign, now))) return undefined;
  const [first] = active.flatMap((campaign) => date(campaign.startTime) ?? []).sort((one, other) => one.getTime() - other.getTime());
  return first;
}

export function startsAhead(campaign: Campaign, now: Date): boolean {
  const start = date(campaign.startTime);
  return start !== undefined && start > now && (campaign.counts?.sent ?? 0) === 0;
}
