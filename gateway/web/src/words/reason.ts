/** Why a message waits, as the lists say it: never longer than 30 characters. */

import type { Hold } from '../api/types';
import { span, seconds } from './time';
import { count } from './number';

export type ReasonTone = 'quiet' | 'park' | 'fail' | 'plain';

export interface Waiting {
  text: string;
  tone: ReasonTone;
  icon: 'lanes' | 'clock' | 'gauge' | 'hourglass' | 'again' | 'moon' | 'pause' | 'key';
}

/** What a hold says in a list. */
export function waiting(hold: Hold | undefined): Waiting {
  switch (hold?.reason) {
    case 'HOLD_REASON_NOT_DUE':
    case 'HOLD_REASON_TURN':
      return { text: turn(hold), tone: 'quiet', icon: 'lanes' };
    case 'HOLD_REASON_HOURLY_LIMIT':
      return { text: used('Hourly limit', hold), tone: 'park', icon: 'gauge' };
    case 'HOLD_REASON_DAILY_LIMIT':
      return { text: used('Daily limit', hold), tone: 'park', icon: 'gauge' };
    case 'HOLD_REASON_CAMPAIGN_LIMIT':
      return { text: hold.limit ? `Campaign limit, ${count(hold.limit)} an hour` : 'Campaign limit', tone: 'park', icon: 'gauge' };
    case 'HOLD_REASON_LIMIT':
      return { text: 'A limit is used up', tone: 'park', icon: 'gauge' };
    case 'HOLD_REASON_LIMIT_AHEAD':
      return { text: ahead(hold), tone: 'park', icon: 'gauge' };
    case 'HOLD_REASON_BACKOFF':
      return { text: 'Server asked us to slow down', tone: 'park', icon: 'hourglass' };
    case 'HOLD_REASON_RETRY':
      return { text: secondTry(hold.detail), tone: 'plain', icon: 'again' };
    case 'HOLD_REASON_WINDOW':
      return { text: 'Outside sending hours', tone: 'plain', icon: 'moon' };
    case 'HOLD_REASON_NOT_STARTED':
      return { text: 'Campaign has not started', tone: 'quiet', icon: 'clock' };
    case 'HOLD_REASON_DRAFT':
      return { text: 'Campaign is a draft', tone: 'quiet', icon: 'clock' };
    case 'HOLD_REASON_CAMPAIGN_PAUSED':
      return { text: 'Campaign is paused', tone: 'plain', icon: 'pause' };
    case 'HOLD_REASON_MAILBOX_PAUSED':
      return { text: 'Mailbox is paused', tone: 'plain', icon: 'pause' };
    case 'HOLD_REASON_WORKSPACE_STOPPED':
      return { text: 'Everything is stopped', tone: 'fail', icon: 'pause' };
    case 'HOLD_REASON_PASSWORD_REFUSED':
      return { text: 'Password refused', tone: 'fail', icon: 'key' };
    default:
      return { text: 'Its turn', tone: 'quiet', icon: 'lanes' };
  }
}

/** Whose word ends the wait, where no clock does. */
export function endsBy(hold: Hold | undefined): string {
  switch (hold?.reason) {
    case 'HOLD_REASON_PASSWORD_REFUSED':
      return 'you enter it';
    case 'HOLD_REASON_CAMPAIGN_PAUSED':
    case 'HOLD_REASON_MAILBOX_PAUSED':
    case 'HOLD_REASON_WORKSPACE_STOPPED':
      return 'you resume it';
    case 'HOLD_REASON_DRAFT':
      return 'you start it';
    default:
      return '';
  }
}

function turn(hold: Hold): string {
  const gap = seconds(hold.gap);
  return gap >= 1 ? `Its turn: ${span(gap)} apart` : 'Its turn';
}

function used(limit: string, hold: Hold): string {
  return hold.limit !== undefined && hold.used !== undefined
    ? `${limit}, ${count(hold.used)} of ${count(hold.limit)} used`
    : `${limit} is used`;
}

/** The campaign's own limit has no "hourly" beside its name: both do not fit in 30 characters. */
function ahead(hold: Hold): string {
  const name = { HOLD_REASON_HOURLY_LIMIT: 'the hourly limit', HOLD_REASON_DAILY_LIMIT: 'the daily limit', HOLD_REASON_CAMPAIGN_LIMIT: 'campaign limit' }[String(hold.ahead)] ?? 'a limit';
  return `Will meet ${name}${hold.limit ? ` of ${count(hold.limit)}` : ''}`;
}

function secondTry(detail: string): string {
  if (/greylist|grey-list|graylist/i.test(detail)) return 'Second try: greylisted';
  if (/first try/i.test(detail)) return 'Waits for the first try';
  return 'Second try: server was busy';
}
