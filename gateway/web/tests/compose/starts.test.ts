import { expect, it } from 'vitest';
import { instantOf, monthOf, quickPicks, wallOf } from '../../src/compose/starts';

const BERLIN = 'Europe/Berlin';
const picks = (now: string, zone: string) => Object.fromEntries(quickPicks(new Date(now), zone).map(({ key, at }) => [key, at?.toISOString()]));

it('picks an hour from now, tomorrow 9:00 and Monday 9:00 in the zone', () => {
  expect(picks('2026-11-24T13:38:20Z', BERLIN)).toEqual({
    now: undefined,
    hour: '2026-11-24T14:38:00.000Z',
    tomorrow: '2026-11-25T08:00:00.000Z',
    monday: '2026-11-30T08:00:00.000Z',
  });
});

it('means the Monday after where tomorrow is Monday, and next week on a Monday', () => {
  expect(picks('2026-11-29T12:00:00Z', BERLIN)['monday']).toBe('2026-12-07T08:00:00.000Z');
  expect(picks('2026-11-30T12:00:00Z', BERLIN)['monday']).toBe('2026-12-07T08:00:00.000Z');
});

it('keeps 9:00 at 9:00 over the nights when clocks change', () => {
  expect(picks('2027-03-27T12:00:00Z', BERLIN)['tomorrow']).toBe('2027-03-28T07:00:00.000Z');
  expect(picks('2026-10-24T12:00:00Z', BERLIN)['tomorrow']).toBe('2026-10-25T08:00:00.000Z');
});

it('takes the day from the zone, not from UTC', () => {
  expect(picks('2026-11-24T23:30:00Z', BERLIN)['tomorrow']).toBe('2026-11-26T08:00:00.000Z');
  expect(picks('2026-11-24T23:30:00Z', 'America/Los_Angeles')['tomorrow']).toBe('2026-11-25T17:00:00.000Z');
});

it('moves a time that clocks skip as far as they move, and takes the first of one that comes twice', () => {
  expect(instantOf({ year: 2027, month: 3, day: 28, hour: 2, minute: 30 }, BERLIN).toISOString()).toBe('2027-03-28T01:30:00.000Z');
  expect(instantOf({ year: 2026, month: 10, day: 25, hour: 2, minute: 30 }, BERLIN).toISOString()).toBe('2026-10-25T00:30:00.000Z');
});

it('goes there and back in zones with odd offsets', () => {
  for (const zone of ['Asia/Kathmandu', 'Pacific/Kiritimati', 'America/St_Johns', 'UTC']) {
    const wall = { year: 2026, month: 7, day: 1, hour: 0, minute: 5 };
    expect(wallOf(instantOf(wall, zone), zone)).toEqual(wall);
  }
});

it('shows a month from Monday, days of others around it', () => {
  const weeks = monthOf(2026, 11, { year: 2026, month: 11, day: 24, hour: 0, minute: 0 });

  expect(weeks[0]?.map(({ wall }) => wall.day)).toEqual([26, 27, 28, 29, 30, 31, 1]);
  expect(weeks.flat().find(({ isToday }) => isToday)?.wall.day).toBe(24);
});
