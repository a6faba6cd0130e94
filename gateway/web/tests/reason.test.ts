import { describe, expect, it } from 'vitest';
import type { Hold, HoldReason } from '../src/api/types';
import { waiting } from '../src/words/reason';

const hold = (reason: string, more: Partial<Hold> = {}): Hold => ({ reason: `HOLD_REASON_${reason}` as HoldReason, detail: '', ahead: 'HOLD_REASON_UNSPECIFIED', ...more });

describe('why a message waits', () => {
  it.each([
    [hold('TURN', { gap: '45s' }), 'Its turn: 45 s apart'],
    [hold('HOURLY_LIMIT', { used: 40, limit: 40 }), 'Hourly limit, 40 of 40 used'],
    [hold('DAILY_LIMIT', { used: 400, limit: 400 }), 'Daily limit, 400 of 400 used'],
    [hold('CAMPAIGN_LIMIT', { limit: 60 }), 'Campaign limit, 60 an hour'],
    [hold('LIMIT_AHEAD', { limit: 50, ahead: 'HOLD_REASON_HOURLY_LIMIT' }), 'Will meet the hourly limit of 50'],
    [hold('LIMIT_AHEAD', { limit: 400, ahead: 'HOLD_REASON_DAILY_LIMIT' }), 'Will meet the daily limit of 400'],
    [hold('LIMIT_AHEAD', { limit: 60, ahead: 'HOLD_REASON_CAMPAIGN_LIMIT' }), 'Will meet campaign limit of 60'],
    [hold('LIMIT_AHEAD', { limit: 50 }), 'Will meet a limit of 50'],
    [hold('LIMIT'), 'A limit is used up'],
    [hold('BACKOFF'), 'Server asked us to slow down'],
    [hold('RETRY', { detail: '451 4.7.1 Greylisting in action' }), 'Second try: greylisted'],
    [hold('RETRY', { detail: 'its first try may still succeed until then' }), 'Waits for the first try'],
    [hold('RETRY', { detail: '450 busy' }), 'Second try: server was busy'],
    [hold('NOT_STARTED'), 'Campaign has not started'],
    [hold('CAMPAIGN_PAUSED'), 'Campaign is paused'],
    [hold('MAILBOX_PAUSED'), 'Mailbox is paused'],
    [hold('PASSWORD_REFUSED'), 'Password refused'],
  ])('%o reads as %s', (given, said) => {
    expect(waiting(given).text).toBe(said);
  });
});
