/** What is missing before a campaign can be scheduled. Pure. */

import { count, counted } from '../words/number';
import type { Plan } from './plan';
import { neededIn, placeholders } from './template';

/** Where a thing is settled: the id of an element that can have the focus. */
export type Place = 'from' | 'to' | 'subject' | 'message' | 'text' | 'start' | 'map';

export interface Thing {
  place: Place;
  text: string;
  /** Of a variable that rows lack. */
  variable?: string;
}

export interface Facts {
  recipients: number;
  /** A list is being read or sent. */
  importing: boolean;
  /** The last import failed. */
  importFailed: boolean;
  /** Rows without a value, by variable; of one that no column brings, all rows. */
  missing: ReadonlyMap<string, number>;
  now: Date;
}

/** A start that passed so lately is taken for "now". */
const GRACE_MS = 60_000;

/** All of it, in the order of the screen. */
export function unsettled(plan: Plan, { recipients, importing, importFailed, missing, now }: Facts): Thing[] {
  const things: Thing[] = [];
  const add = (place: Place, text: string, variable?: string) => things.push({ place, text, ...(variable ? { variable } : {}) });
  if (plan.mailboxIds.length === 0) add('from', 'Choose a mailbox to send from');
  if (importing) add('to', 'The recipients are still being read');
  else if (importFailed) add('to', 'The last list was not taken whole');
  else if (recipients === 0) add('to', 'Add recipients');
  for (const name of neededIn(plan.subject, plan.html, plan.text)) {
    const rows = missing.get(name) ?? 0;
    if (rows > 0 && recipients > 0) add('map', lacking(name, rows, recipients), name);
  }
  if (!plan.subject.trim()) add('subject', 'Write a subject');
  else if (placeholders(plan.subject).wrongAt !== undefined) add('subject', 'A variable in the subject is not complete');
  if (!plan.html.trim() && !plan.text.trim()) add('message', 'Write a message');
  else if (placeholders(plan.html).wrongAt !== undefined) add('message', 'A variable in the message is not complete');
  else if (placeholders(plan.text).wrongAt !== undefined) add('text', 'A variable in the plain text is not complete');
  if (plan.startTime && new Date(plan.startTime).getTime() < now.getTime() - GRACE_MS) add('start', 'The start time has passed');
  return things;
}

/** 23 rows have no company, and the text uses it. */
export function lacking(name: string, rows: number, recipients: number): string {
  if (rows >= recipients) return `No row has a value for ${name}, and the text uses it.`;
  return `${counted(rows, 'row')} ${rows === 1 ? 'has' : 'have'} no ${name}, and the text uses it.`;
}

/** 2 things to settle */
export function thingsText(things: number): string {
  return `${count(things)} ${things === 1 ? 'thing' : 'things'} to settle`;
}
