/** What is written of a campaign before it starts: the fields that a draft has, in forms of their own. */

import type { Campaign } from '../api/types';
import { seconds } from '../words/time';

export interface Plan {
  name: string;
  mailboxIds: readonly string[];
  subject: string;
  html: string;
  text: string;
  /** An instant (ISO); undefined: at once. */
  startTime: string | undefined;
  delayS: number;
  hourlyLimit: number | undefined;
}

export type Field = keyof Plan;

/** The mask's names of the fields, which are also the paths of errors about them, below `campaign.`. */
export const PATHS: Readonly<Record<Field, string>> = {
  name: 'name',
  mailboxIds: 'mailboxIds',
  subject: 'template.subject',
  html: 'template.html',
  text: 'template.text',
  startTime: 'startTime',
  delayS: 'delay',
  hourlyLimit: 'hourlyLimit',
};

/** As people call them. */
export const FIELD_WORDS: Readonly<Record<Field, string>> = {
  name: 'name',
  mailboxIds: 'mailboxes',
  subject: 'subject',
  html: 'message',
  text: 'plain text',
  startTime: 'start',
  delayS: 'delay',
  hourlyLimit: 'limit',
};

export const FIELDS = Object.keys(PATHS) as Field[];

/** A pace that no server finds rude, and that shows something soon. */
const DEFAULT_DELAY_S = 10;

export const EMPTY: Plan = {
  name: '',
  mailboxIds: [],
  subject: '',
  html: '',
  text: '',
  startTime: undefined,
  delayS: DEFAULT_DELAY_S,
  hourlyLimit: undefined,
};

export function planOf(campaign: Campaign): Plan {
  return {
    name: campaign.name,
    mailboxIds: campaign.mailboxIds,
    subject: campaign.template?.subject ?? '',
    html: campaign.template?.html ?? '',
    text: campaign.template?.text ?? '',
    startTime: campaign.startTime ? new Date(campaign.startTime).toISOString() : undefined,
    delayS: seconds(campaign.delay),
    hourlyLimit: campaign.hourlyLimit,
  };
}

/** The plan as the API takes it. */
export function bodyOf(plan: Plan) {
  return {
    name: plan.name,
    mailboxIds: [...plan.mailboxIds],
    template: { subject: plan.subject, html: plan.html, text: plan.text },
    ...(plan.startTime ? { startTime: plan.startTime } : {}),
    delay: `${plan.delayS}s`,
    ...(plan.hourlyLimit === undefined ? {} : { hourlyLimit: plan.hourlyLimit }),
  };
}

/** Where two plans differ. */
export function changed(one: Plan, other: Plan): Field[] {
  return FIELDS.filter((field) => !same(one[field], other[field]));
}

export interface Merged {
  plan: Plan;
  /** Fields that both sides changed, each to something else: the plan has ours. */
  conflicts: Field[];
}

/** Ours and theirs, both of which began from `base`. */
export function merge(base: Plan, ours: Plan, theirs: Plan): Merged {
  const onlyTheirs = changed(base, theirs).filter((field) => same(base[field], ours[field]));
  const plan = { ...ours, ...Object.fromEntries(onlyTheirs.map((field) => [field, theirs[field]])) };
  const conflicts = changed(base, theirs).filter((field) => !same(base[field], ours[field]) && !same(ours[field], theirs[field]));
  return { plan, conflicts };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
