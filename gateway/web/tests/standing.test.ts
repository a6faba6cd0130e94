import { describe, expect, it } from 'vitest';
import type { Campaign, Mailbox, Park, Stop } from '../src/api/types';
import { nextOf, stands, startsOf, stateOf } from '../src/words/campaign';
import { isStopped, stateOfMailbox, stopWhy } from '../src/words/mailbox';
import { precise } from '../src/words/time';

const now = new Date(2026, 10, 24, 14, 38);
const at = (hour: number, minute: number) => new Date(2026, 10, 24, hour, minute).toISOString();

const campaign = { id: '1', state: 'CAMPAIGN_STATE_ACTIVE', mailboxIds: ['a', 'b'], counts: { sent: 1, pending: 3 } } as unknown as Campaign;
const park = (reason: string, untilTime: string): Park => ({ reason, untilTime, detail: '' }) as Park;
const stop = (reason: string, sinceTime: string): Stop => ({ reason, sinceTime, detail: '' }) as Stop;
const mailbox = (id: string, more: Partial<Mailbox> = {}) => ({ id, address: `${id}@tidewell.example`, parks: [], hourlyLimit: 40, ...more }) as unknown as Mailbox;

describe('a mailbox whose server takes nothing', () => {
  const slow = stop('STOP_REASON_SERVER', at(14, 20));
  const until = park('PARK_REASON_BACKOFF', at(14, 52));

  it('is parked for the first hour, for it is asked again by itself', () => {
    expect(isStopped(slow, now)).toBe(false);
    expect(stateOfMailbox({ parks: [until], stop: slow, waiting: 118 }, now)).toMatchObject({ text: 'Parked until 14:52', tone: 'park', why: 'Its server asked us to slow down. 118 wait' });
  });

  it('has stopped after an hour', () => {
    const old = stop('STOP_REASON_SERVER', at(13, 38));
    expect(isStopped(old, now)).toBe(true);
    expect(stopWhy(old, now)).toBe('Its server takes nothing since 13:38');
  });

  it('has stopped at once where its password is refused', () => {
    expect(isStopped(stop('STOP_REASON_PASSWORD_REFUSED', at(14, 37)), now)).toBe(true);
  });
});

describe('a campaign over several mailboxes', () => {
  const limited = mailbox('a', { parks: [park('PARK_REASON_LIMIT', at(15, 0))] });
  const slowed = mailbox('b', { parks: [park('PARK_REASON_BACKOFF', at(14, 52))] });

  it('is parked where all of them are, and says when the first goes on', () => {
    expect(stateOf(campaign, [limited, slowed], now).text).toBe('Parked');
    expect(nextOf(campaign, [limited, slowed], now)[1]).toBe('2 of 2 parked, the first until 14:52');
  });

  it('says of what is due why it has not left', () => {
    expect(stands(campaign, limited, now)).toBe('Waits for the limit of a@ until 15:00');
    expect(stands(campaign, slowed, now)).toBe('Waits until 14:52: the server of b@ asked us to slow down');
    expect(stands(campaign, mailbox('a', { stop: stop('STOP_REASON_PAUSED', at(9, 0)) }), now)).toBe('Waits: a@ is paused');
    expect(stands({ ...campaign, state: 'CAMPAIGN_STATE_PAUSED' }, slowed, now)).toBe('Waits: the campaign is paused');
    expect(stands(campaign, mailbox('a'), now)).toBeUndefined();
  });
});

describe('an instant to the second', () => {
  it('has seconds today, and the day else', () => {
    expect(precise(new Date(2026, 10, 24, 15, 0, 45), now)).toBe('15:00:45');
    expect(precise(new Date(2026, 10, 25, 9, 0), now)).toBe('Wed 09:00');
  });
});

describe('a mailbox whose campaigns start later', () => {
  const later = { ...campaign, startTime: at(18, 0), counts: { sent: 0, pending: 3 } } as Campaign;

  it('waits until the first of them starts', () => {
    const starts = startsOf('a', [{ ...later, startTime: at(19, 0) }, later], now);
    expect(stateOfMailbox({ parks: [], waiting: 6, starts }, now)).toMatchObject({ text: 'Waits until 18:00', why: '6 emails, not started yet' });
  });

  it('is sending where one of them has started', () => {
    expect(startsOf('a', [later, campaign], now)).toBeUndefined();
  });
});
