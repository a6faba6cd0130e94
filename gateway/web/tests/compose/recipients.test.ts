import { expect, it, vi } from 'vitest';
import { unreachable } from '../../src/api/error';
import { rewrite, scan } from '../../src/compose/csv/list';
import { Draft } from '../../src/compose/draft';
import { EMPTY } from '../../src/compose/plan';
import type { Plan } from '../../src/compose/plan';
import { isWaiting, Recipients } from '../../src/compose/recipients';
import type { Source } from '../../src/compose/sources';

/** Campaigns with their lists, as they were sent. */
function server() {
  const lists = new Map<string, string[]>();
  const plans = new Map<string, Plan>();
  const kept = new Map<string, readonly Source[]>();
  const fails = { next: false };
  const add = (plan: Plan) => {
    const id = String(plans.size + 1);
    plans.set(id, plan);
    lists.set(id, []);
    return id;
  };
  const draftApi = {
    create: async (plan: Plan) => ({ id: add(plan), plan }),
    get: async (id: string) => plans.get(id) ?? EMPTY,
    update: async (id: string, plan: Plan) => (plans.set(id, plan), plan),
  };
  const api = {
    scan,
    rewrite,
    upload: async (id: string, file: Blob) => {
      if (fails.next) throw unreachable();
      const rows = (await file.text()).trim().split('\n').slice(1).filter(Boolean);
      lists.get(id)?.push(await file.text());
      return { accepted: rows.length, duplicates: 0, rejected: [], rejectedCount: 0 };
    },
    total: async (id: string) => (lists.get(id) ?? []).join('').split('@').length - 1,
    copy: async (id: string) => add(plans.get(id) ?? EMPTY),
    remove: async (id: string) => void lists.delete(id),
    kept: async (id: string) => kept.get(id) ?? [],
    keep: async (id: string, sources: readonly Source[]) => void kept.set(id, sources),
  };
  return { lists, fails, api, draftApi };
}

const STORAGE = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
const LEADS = 'Email,Company\na@x.example,Ymir\nb@x.example,\n';

function opened(mailboxIds: string[] = ['1']) {
  const all = server();
  const draft = new Draft(all.draftApi, STORAGE, undefined);
  draft.edit({ mailboxIds });
  return { ...all, draft, recipients: new Recipients(all.api, draft, 0) };
}

const idle = (recipients: Recipients) => vi.waitFor(() => expect(recipients.state.work).toBeUndefined());

it('sends a file as soon as there is a mailbox, and not before', async () => {
  const { draft, recipients, lists } = opened([]);
  recipients.addFile(new File([LEADS], 'leads.csv'));
  await idle(recipients);
  expect(isWaiting(recipients.state)).toBe(true);
  draft.edit({ mailboxIds: ['1'] });
  recipients.sendWaiting();
  await idle(recipients);

  expect(recipients.state.total).toBe(2);
  expect([...lists.values()]).toEqual([['email,company\na@x.example,Ymir\nb@x.example,\n']]);
});

it('sends to another column of addresses where a person says so', async () => {
  const { recipients, lists } = opened();
  recipients.addFile(new File(['Email,Home\na@work.example,a@home.example\n'], 'leads.csv'));
  await idle(recipients);
  recipients.readdress(recipients.state.sources[0]?.id ?? '', 1);
  await idle(recipients);

  expect([...lists.values()]).toEqual([['email_2,email\na@work.example,a@home.example\n']]);
});

it('puts a whole new draft in the place of the old one where a column becomes another variable', async () => {
  const { draft, recipients, lists } = opened();
  recipients.addFile(new File([LEADS], 'leads.csv'));
  await idle(recipients);
  recipients.remap(recipients.state.sources[0]?.id ?? '', 1, 'firm');
  await idle(recipients);

  expect(draft.state.id).toBe('2');
  expect([...lists.entries()]).toEqual([['2', ['email,firm\na@x.example,Ymir\nb@x.example,\n']]]);
});

it('changes nothing where that fails half way, and can be repeated', async () => {
  const { draft, recipients, lists, fails } = opened();
  recipients.addFile(new File([LEADS], 'leads.csv'));
  await idle(recipients);
  fails.next = true;
  recipients.leaveOut('company');
  await idle(recipients);
  expect([draft.state.id, [...lists.keys()], recipients.state.total]).toEqual(['1', ['1'], 2]);
  expect(recipients.state.problem?.title).toContain('does not answer');
  fails.next = false;
  recipients.state.problem?.again?.();
  await idle(recipients);

  expect(recipients.state.total).toBe(1);
});

it('says of a file without addresses that it is no list', async () => {
  const { recipients } = opened();
  recipients.addFile(new File(['hello\nworld\n'], 'report.pdf'));
  await idle(recipients);

  expect(recipients.state.problem?.text).toBe('We found no column with addresses in "report.pdf". Use a CSV or TXT with one address a row.');
});
