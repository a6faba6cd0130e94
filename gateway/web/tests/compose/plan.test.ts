import { expect, it } from 'vitest';
import { bodyOf, changed, EMPTY, merge } from '../../src/compose/plan';
import type { Plan } from '../../src/compose/plan';

const base: Plan = { ...EMPTY, name: 'Autumn', subject: 'Hello' };

it('takes what only the others changed, and keeps what only we did', () => {
  const { plan, conflicts } = merge(base, { ...base, subject: 'Ours' }, { ...base, name: 'Theirs' });

  expect(plan).toEqual({ ...base, subject: 'Ours', name: 'Theirs' });
  expect(conflicts).toEqual([]);
});

it('is a conflict where both changed one field to different things, and none where to the same', () => {
  expect(merge(base, { ...base, subject: 'Ours' }, { ...base, subject: 'Theirs' })).toEqual({ plan: { ...base, subject: 'Ours' }, conflicts: ['subject'] });
  expect(merge(base, { ...base, subject: 'Same' }, { ...base, subject: 'Same' }).conflicts).toEqual([]);
});

it('knows which fields differ, lists by what is in them', () => {
  expect(changed(base, { ...base, mailboxIds: [], delayS: 3, startTime: undefined })).toEqual(['delayS']);
});

it('leaves out of a body what is not set, so that the mask clears it', () => {
  expect(bodyOf({ ...EMPTY, name: 'A' })).toEqual({ name: 'A', mailboxIds: [], template: { subject: '', html: '', text: '' }, delay: '10s' });
});
