/** What a mailbox is doing, in words. */

import type { Mailbox, Park, Stop } from '../api/types';
import type { Mark } from '../components/StateMark';
import { count, counted } from './number';
import { date, day, when } from './time';

export interface MailboxWords {
  mark: Mark;
  text: string;
  tone: 'plain' | 'mail' | 'park' | 'fail';
  why: string;
}

interface Facts {
  parks: readonly Park[];
  stop?: Stop | undefined;
  waiting: number;
  hourlyLimit?: number | undefined;
  /** When the first of what waits may leave, where all of it is for later. */
  starts?: Date | undefined;
}

/** A server that has taken nothing for so long will not by itself, or not soon. Before that it is only asked again, as the API counts it. */
const LASTS_MS = 3_600_000;

/** Whether it sends nothing until somebody does something. */
export function isStopped(stop: Stop | undefined, now: Date): stop is Stop {
  if (!stop) return false;
  const since = date(stop.sinceTime);
  return stop.reason !== 'STOP_REASON_SERVER' || (since !== undefined && now.getTime() - since.getTime() >= LASTS_MS);
}

/** Its state and the sentence under it. */
export function stateOfMailbox({ parks, stop, waiting, hourlyLimit, starts }: Facts, now: Date): MailboxWords {
  const wait = waiting > 0 ? `${count(waiting)} wait` : 'Nothing waits';
  if (isStopped(stop, now)) return { mark: stop.reason === 'STOP_REASON_PAUSED' ? 'paused' : 'failed', why: wait, ...stopped(stop, now) };
  const [park] = parks;
  const until = date(park?.untilTime);
  if (park && until && until > now) {
    const why = parkWords(park, hourlyLimit);
    const isWindow = park.reason === 'PARK_REASON_WINDOW';
    return {
      mark: 'parked',
      text: `${isWindow ? 'Waits' : 'Parked'} until ${when(until, now)}`,
      tone: isWindow ? 'plain' : 'park',
      why: waiting > 0 ? `${why}. ${wait}` : why,
    };
  }
  if (waiting > 0 && starts && starts > now) return { mark: 'scheduled', text: `Waits until ${when(starts, now)}`, tone: 'plain', why: `${counted(waiting, 'email')}, not started yet` };
  if (waiting > 0) return { mark: 'sending', text: 'Sending', tone: 'mail', why: `${counted(waiting, 'email')} to go` };
  return { mark: 'pending', text: 'Nothing due', tone: 'plain', why: 'Nothing waits' };
}

function stopped(stop: Stop, now: Date): Pick<MailboxWords, 'text' | 'tone'> {
  switch (stop.reason) {
    case 'STOP_REASON_PASSWORD_REFUSED':
      return { text: 'Password refused', tone: 'fail' };
    case 'STOP_REASON_PAUSED':
      return { text: 'Paused', tone: 'plain' };
    default: {
      const since = date(stop.sinceTime);
      return { text: since ? `Stopped since ${when(since, now)}` : 'Stopped', tone: 'fail' };
    }
  }
}

/** Why it is parked: a limit, or its server. */
export function parkWords(park: Park, hourlyLimit?: number): string {
  switch (park.reason) {
    case 'PARK_REASON_LIMIT':
      return hourlyLimit && !/day|daily/i.test(park.detail) ? `Its ${count(hourlyLimit)} an hour are used` : 'Its limit of the day is used';
    case 'PARK_REASON_WINDOW':
      return 'Outside its sending hours';
    default:
      return 'Its server asked us to slow down';
  }
}

/** Its password is refused since 08:02 */
export function stopWhy(stop: Stop, now: Date): string {
  const since = date(stop.sinceTime);
  const why = { STOP_REASON_PASSWORD_REFUSED: 'Its password is refused', STOP_REASON_PAUSED: 'It is paused' }[String(stop.reason)] ?? 'Its server takes nothing';
  return since ? `${why} since ${when(since, now)}` : why;
}

/** Why it stopped and since when, as a sentence. */
export function stopSentence(stop: Stop, waiting: number, now: Date): string {
  const since = date(stop.sinceTime);
  const from = since ? ` since ${day(since, now)}` : '';
  const wait = waiting === 1 ? '1 email waits, none was lost.' : `${count(waiting)} emails wait, none was lost.`;
  switch (stop.reason) {
    case 'STOP_REASON_PASSWORD_REFUSED':
      return `The mail server refuses its password${from}. ${wait}`;
    case 'STOP_REASON_PAUSED':
      return `It is paused${from}. ${wait}`;
    default:
      return `Its mail server has taken nothing${from}. ${wait}`;
  }
}

/** 5 connections; 2 of 5 connections */
export function connectionWords({ maxConnections, learnedConnections }: Pick<Mailbox, 'maxConnections' | 'learnedConnections'>): string {
  if (maxConnections === undefined) return '';
  return learnedConnections === undefined ? counted(maxConnections, 'connection') : `${count(learnedConnections)} of ${counted(maxConnections, 'connection')}`;
}

/** Its server takes 2 at once, as it said 12 min ago. */
export function learnedWords({ learnedConnections, learnTime }: Pick<Mailbox, 'learnedConnections' | 'learnTime'>, now: Date): string {
  if (learnedConnections === undefined) return '';
  const at = date(learnTime);
  return `Its server refused more than ${count(learnedConnections)} at once${at ? `, ${day(at, now)}` : ''}. One more is tried after five minutes without a refusal.`;
}

/** The name of a provider by its host, as people know it. */
export function provider(host: string): string {
  if (/(^|\.)gmail\.com$|(^|\.)googlemail\.com$/.test(host)) return 'Gmail';
  if (/(^|\.)office365\.com$|(^|\.)outlook\.com$/.test(host)) return 'Outlook';
  if (host === '127.0.0.1' || host === '::1' || host === 'localhost') return 'this machine';
  return host;
}
