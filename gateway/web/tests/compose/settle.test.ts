import { expect, it } from 'vitest';
import { EMPTY } from '../../src/compose/plan';
import { unsettled } from '../../src/compose/settle';

const NOW = new Date('2026-11-24T14:38:00Z');
const ready = { ...EMPTY, mailboxIds: ['1'], subject: 'Hi {{first_name|there}}', html: '<p>About {{company}}</p>' };
const facts = { recipients: 1240, importing: false, importFailed: false, missing: new Map<string, number>(), now: NOW };

it('names all that an empty draft lacks, in the order of the screen', () => {
  expect(unsettled(EMPTY, { ...facts, recipients: 0 }).map(({ place }) => place)).toEqual(['from', 'to', 'subject', 'message']);
});

it('has nothing to say of one that is ready', () => {
  expect(unsettled(ready, facts)).toEqual([]);
});

it('counts rows without a variable that has no fallback', () => {
  expect(unsettled(ready, { ...facts, missing: new Map([['company', 23], ['first_name', 9]]) })).toEqual([
    { place: 'map', text: '23 rows have no company, and the text uses it.', variable: 'company' },
  ]);
});

it('waits for a list that is being read, and for a start that has passed', () => {
  expect(unsettled(ready, { ...facts, importing: true }).map(({ text }) => text)).toEqual(['The recipients are still being read']);
  expect(unsettled({ ...ready, startTime: '2026-11-24T14:30:00Z' }, facts).map(({ place }) => place)).toEqual(['start']);
});

it('sees braces that begin no variable', () => {
  expect(unsettled({ ...ready, subject: '{{first name}}' }, facts).map(({ place }) => place)).toEqual(['subject']);
});
