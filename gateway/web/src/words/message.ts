/** What became of a message and of its tries, in words. */

import type { Attempt, Message, MessageState } from '../api/types';
import type { Mark } from '../components/StateMark';
import { capital, ordinal } from './number';

export interface MessageWords {
  mark: Mark;
  text: string;
  tone: 'plain' | 'park' | 'fail' | 'unsure';
}

export const MARKS: Readonly<Record<MessageState, Mark>> = {
  MESSAGE_STATE_UNSPECIFIED: 'pending',
  MESSAGE_STATE_PENDING: 'pending',
  MESSAGE_STATE_SENDING: 'sending',
  MESSAGE_STATE_SENT: 'sent',
  MESSAGE_STATE_FAILED: 'failed',
  MESSAGE_STATE_UNCONFIRMED: 'unsure',
  MESSAGE_STATE_SUPPRESSED: 'suppressed',
  MESSAGE_STATE_CANCELLED: 'cancelled',
};

/** Its state in one or two words: Sent, second try. */
export function stateOfMessage(message: Pick<Message, 'state' | 'attempts'>): MessageWords {
  const mark = MARKS[message.state];
  switch (message.state) {
    case 'MESSAGE_STATE_SENT':
      return { mark, text: message.attempts > 1 ? `Sent, ${ordinal(message.attempts)} try` : 'Sent', tone: 'plain' };
    case 'MESSAGE_STATE_FAILED':
      return { mark, text: 'Failed', tone: 'fail' };
    case 'MESSAGE_STATE_UNCONFIRMED':
      return { mark, text: 'Unconfirmed', tone: 'unsure' };
    case 'MESSAGE_STATE_SENDING':
      return { mark, text: 'Sending', tone: 'plain' };
    case 'MESSAGE_STATE_SUPPRESSED':
      return { mark, text: 'Suppressed', tone: 'plain' };
    case 'MESSAGE_STATE_CANCELLED':
      return { mark, text: 'Cancelled', tone: 'plain' };
    default:
      return { mark, text: 'Pending', tone: 'plain' };
  }
}

/** Why it failed, shortly, from the last reply: no such address at wislalog.example. */
export function failure(code: number, reply: string, recipient: string): string {
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1);
  if (/\b5\.1\.[1236]\b/.test(reply) || /no such (user|address|mailbox)|user unknown|unknown user/i.test(reply)) {
    return `no such address at ${domain}`;
  }
  if (/\b[45]\.2\.2\b/.test(reply) || /quota|mailbox (is )?full|over ?quota/i.test(reply)) return 'their mailbox is full';
  if (/\b5\.7\./.test(reply) || /spam|blocked|policy|reputation/i.test(reply)) return 'refused as unwanted';
  if (code >= 500) return `refused by ${domain}`;
  if (code >= 400) return 'their server was busy at every try';
  return code === 0 ? 'their server could not be reached' : `their server answered ${code}`;
}

/** The sentence that a state has where there is room. */
export function meaning(state: MessageState): string {
  switch (state) {
    case 'MESSAGE_STATE_SENT':
      return 'Their server took the email and is now responsible for it.';
    case 'MESSAGE_STATE_UNCONFIRMED':
      return 'The server hung up before answering. We have not sent it again.';
    case 'MESSAGE_STATE_SUPPRESSED':
      return 'The address is on the list of those that nothing is sent to.';
    case 'MESSAGE_STATE_CANCELLED':
      return 'Its campaign was cancelled before it left.';
    default:
      return '';
  }
}

export interface AttemptWords {
  mark: Mark;
  title: string;
  meaning: string;
}

/** A try: its title, and what it means for the person. */
export function attemptWords(attempt: Attempt, recipient: string): AttemptWords {
  const nth = `${capital(ordinal(Math.max(attempt.number, 1)))} try`;
  switch (attempt.state) {
    case 'MESSAGE_STATE_SENT':
      return { mark: 'done', title: `${nth}: accepted`, meaning: meaning('MESSAGE_STATE_SENT') };
    case 'MESSAGE_STATE_UNCONFIRMED':
      return { mark: 'unsure', title: `${nth}: no answer`, meaning: 'The email was handed over, then the connection was lost. It may have arrived, or not.' };
    case 'MESSAGE_STATE_FAILED':
      return { mark: 'failed', title: `${nth}: refused`, meaning: `${capital(failure(attempt.code, attempt.reply, recipient))}. It is not tried again by itself.` };
    case 'MESSAGE_STATE_SUPPRESSED':
      return { mark: 'suppressed', title: 'Suppressed', meaning: meaning('MESSAGE_STATE_SUPPRESSED') };
    case 'MESSAGE_STATE_CANCELLED':
      return { mark: 'cancelled', title: 'Cancelled', meaning: meaning('MESSAGE_STATE_CANCELLED') };
    default:
      return { mark: 'paused', title: `${nth}: asked to come later`, meaning: later(attempt) };
  }
}

function later(attempt: Attempt): string {
  if (/greylist|graylist/i.test(attempt.reply)) {
    return 'Many servers turn a sender away once, to see if it comes back. It is no fault of the address.';
  }
  return attempt.code === 0 ? 'Nothing was sent: the server could not be reached.' : 'Nothing was delivered, and nothing is lost: it is tried again.';
}
