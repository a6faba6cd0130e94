import { describe, expect, it } from 'vitest';
import { ago, day, inWords, span, until, when } from '../src/words/time';

const NOW = new Date('2026-11-24T14:38:20+01:00');
const at = (text: string) => new Date(`${text}+01:00`);

describe('times in words', () => {
  it.each([
    ['2026-11-24T14:38:20.500', 'now'],
    ['2026-11-24T14:38:32', 'in 12 s'],
    ['2026-11-24T15:00:20', 'in 22 min'],
    ['2026-11-24T18:23:00', '18:23'],
    ['2026-11-25T09:00:00', 'Wed 09:00'],
    ['2026-12-03T09:00:00', '3 Dec'],
    ['2027-01-03T09:00:00', '3 Jan 2027'],
  ])('%s is %s from now', (text, said) => {
    expect(until(at(text), NOW)).toBe(said);
  });

  it('names today, tomorrow and yesterday, and midnight parts them', () => {
    expect([day(at('2026-11-24T23:59:00'), NOW), day(at('2026-11-25T00:01:00'), NOW), day(at('2026-11-23T16:20:00'), NOW)]).toEqual(['today 23:59', 'tomorrow 00:01', 'yesterday 16:20']);
  });

  it('counts a day of 25 hours as one', () => {
    expect(when(new Date('2026-10-26T09:00:00+01:00'), new Date('2026-10-24T23:30:00+02:00'))).toBe('Mon 09:00');
  });

  it.each([
    ['2026-11-24T14:38:18', 'just now'],
    ['2026-11-24T14:34:20', '4 min ago'],
    ['2026-08-22T15:38:20', '94 days ago'],
  ])('%s was %s', (text, said) => {
    expect(ago(at(text), NOW)).toBe(said);
  });

  it('says in days what is days away', () => {
    expect(inWords(at('2026-11-30T09:00:00'), NOW)).toBe('in 6 days');
  });

  it.each([
    [0.41, '0.41 s'],
    [45, '45 s'],
    [360, '6 min'],
    [7200, '2 h'],
  ])('%d s is a span of %s', (s, said) => {
    expect(span(s)).toBe(said);
  });
});
