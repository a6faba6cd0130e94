import { expect, it } from 'vitest';
import type { Forecast } from '../../src/api/types';
import { barsOf, bindingWords, forecastSentence, suggestionWords } from '../../src/compose/forecast';

const NOW = new Date(2026, 10, 24, 14, 38);
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).toISOString();
const names = new Map([['1', 'sales@'], ['2', 'mira@'], ['3', 'hello@']]);
const share = (mailboxId: string, count: number) => ({ mailboxId, count, firstTime: at(25, 9), lastTime: at(26, 11, 11), runs: [] });
const hold = (mailboxId: string, minute: number, limit: number) => ({ mailboxId, reason: 'PACE_REASON_HOURLY_LIMIT' as const, fromTime: at(25, 9, minute), untilTime: at(25, 10), limit });
const forecast: Forecast = {
  recipients: 1240,
  firstTime: at(25, 9),
  lastTime: at(26, 11, 17),
  shares: [share('1', 496), share('2', 744)],
  hours: [
    { startTime: at(25, 9), planned: [{ mailboxId: '1', count: 40 }, { mailboxId: '2', count: 60 }] },
    { startTime: at(25, 11), planned: [{ mailboxId: '2', count: 60 }] },
  ],
  truncated: false,
  holds: [hold('1', 29, 40), hold('1', 59, 40), hold('2', 44, 60)],
  binding: { reason: 'PACE_REASON_HOURLY_LIMIT', mailboxId: '1', limit: 40, fromTime: at(25, 9, 29) },
  suggestion: { kind: 'SUGGESTION_KIND_ADD_MAILBOX', mailboxId: '3', lastTime: at(25, 17, 11) },
};

it('says which limits hold it, each mailbox once, from when and until when', () => {
  expect(bindingWords(forecast, names, 45, NOW)).toEqual(['The hourly limits set the pace.', 'sales@ reaches its 40 at 09:29 and waits for 10:00, mira@ its 60 at 09:44, and so every hour.']);
});

it('is one sentence for who hears it', () => {
  expect(forecastSentence(forecast, names, NOW)).toBe('1,240 emails through 2 mailboxes: first Wed 09:00, last Thu 11:17; the hourly limit of sales@ holds it from Wed 09:29');
});

it('names what would end it earlier, and says "not known" where it is', () => {
  expect(suggestionWords(forecast, names, NOW)).toBe('Add hello@: ends Wed 17:11');
  const { lastTime: _, ...unknown } = forecast;
  expect(forecastSentence({ ...unknown, binding: undefined } as Forecast, names, NOW)).toContain('last not known');
});

it('has a bar for each hour, empty ones too', () => {
  expect(barsOf(forecast)).toMatchObject({ stepH: 1, top: 100, bars: [{ parts: [40, 60] }, { parts: [0, 0] }, { parts: [0, 60] }] });
});

it('puts hours together where they are many', () => {
  const hours = Array.from({ length: 300 }, (_, hour) => ({ startTime: new Date(NOW.getTime() + hour * 3_600_000).toISOString(), planned: [{ mailboxId: '1', count: 1 }] }));

  expect(barsOf({ ...forecast, hours })).toMatchObject({ stepH: 12, top: 12 });
});
