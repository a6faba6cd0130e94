import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError, unreachable } from '../../src/api/error';
import { Draft } from '../../src/compose/draft';
import { EMPTY } from '../../src/compose/plan';
import type { Field, Plan } from '../../src/compose/plan';

/** A server with drafts, which can be down. */
class Server {
  drafts = new Map<string, Plan>();
  byRequest = new Map<string, string>();
  isDown = false;
  /** Does what is asked, and loses the answer. */
  losesAnswer = false;
  calls: string[] = [];

  create = async (plan: Plan, requestId: string) => {
    this.calls.push('create');
    this.mayFail();
    const id = this.byRequest.get(requestId) ?? String(this.drafts.size + 1);
    if (!this.byRequest.has(requestId)) this.drafts.set(id, plan);
    this.byRequest.set(requestId, id);
    this.mayLose();
    return { id, plan: this.plan(id) };
  };

  get = async (id: string) => {
    this.mayFail();
    return this.plan(id);
  };

  update = async (id: string, plan: Plan, fields: readonly Field[]) => {
    this.calls.push(`update ${fields.join()}`);
    this.mayFail();
    this.drafts.set(id, { ...this.plan(id), ...Object.fromEntries(fields.map((field) => [field, plan[field]])) });
    return this.plan(id);
  };

  plan(id: string): Plan {
    const found = this.drafts.get(id);
    if (!found) throw new ApiError(404, 'NOT_FOUND', 'no such campaign', '', {}, undefined, '');
    return found;
  }

  private mayFail() {
    if (this.isDown) throw unreachable();
  }

  private mayLose() {
    if (!this.losesAnswer) return;
    this.losesAnswer = false;
    throw unreachable();
  }
}

class Kept {
  items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

let server: Server;
let kept: Kept;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  kept = new Kept();
});

afterEach(() => {
  vi.useRealTimers();
});

function stored(plan: Partial<Plan>): string {
  server.drafts.set('7', { ...EMPTY, ...plan });
  return '7';
}

it('asks nothing of the server until something is written', async () => {
  new Draft(server, kept, undefined);
  await vi.advanceTimersByTimeAsync(10_000);

  expect(server.calls).toEqual([]);
});

it('is on the server within 2 s of the first key, however long one types', async () => {
  const draft = new Draft(server, kept, undefined);
  for (let typed = 1; typed <= 7; typed++) {
    draft.edit({ name: 'x'.repeat(typed) });
    await vi.advanceTimersByTimeAsync(280);
  }

  expect(server.drafts.get('1')?.name.length).toBeGreaterThan(5);
  expect(draft.state.id).toBe('1');
});

it('waits with a variable that is half written, and then says that it is not taken', async () => {
  const draft = new Draft(server, kept, stored({ subject: 'S' }), server.plan('7'));
  draft.edit({ subject: 'S {{na' });
  await vi.advanceTimersByTimeAsync(4000);
  expect(server.calls).toEqual([]);
  draft.edit({ subject: 'S {{name}}' });
  await vi.advanceTimersByTimeAsync(10);
  expect(server.drafts.get('7')?.subject).toBe('S {{name}}');
  draft.edit({ subject: 'S {{name}} {{' });
  await vi.advanceTimersByTimeAsync(5100);

  expect(server.calls).toEqual(['update subject', 'update subject']);
});

it('sends only what changed', async () => {
  const draft = new Draft(server, kept, stored({ name: 'A', subject: 'S' }), server.plan('7'));
  draft.edit({ subject: 'T' });
  await draft.save();

  expect(server.calls).toEqual(['update subject']);
  expect(draft.state.saving.kind).toBe('saved');
});

it('is in this browser at once, and comes back after a reload', async () => {
  const id = stored({ name: 'A' });
  new Draft(server, kept, id, server.plan(id)).edit({ name: 'B' });
  const again = new Draft(server, kept, id, server.plan(id));

  expect(again.state.plan.name).toBe('B');
  await again.save();
  expect(server.plan(id).name).toBe('B');
});

it('survives a server that is down, says so, and saves by itself once it is back', async () => {
  server.isDown = true;
  const draft = new Draft(server, kept, undefined);
  draft.edit({ name: 'A' });
  await vi.advanceTimersByTimeAsync(3000);
  expect(draft.state.saving.kind).toBe('failed');
  server.isDown = false;
  await vi.advanceTimersByTimeAsync(6000);

  expect(draft.state.saving.kind).toBe('saved');
  expect(kept.items.size).toBe(0);
});

it('makes one draft where the answer to its first save was lost, also over a reload', async () => {
  server.losesAnswer = true;
  const first = new Draft(server, kept, undefined);
  first.edit({ name: 'A' });
  await expect(first.save()).rejects.toThrow();
  first.stop();
  const again = new Draft(server, kept, undefined);
  again.edit({ name: 'AB' });
  await again.save();

  expect([...server.drafts.values()].map(({ name }) => name)).toEqual(['AB']);
});

it('takes in what others changed elsewhere in the draft', async () => {
  const draft = new Draft(server, kept, stored({ name: 'A', subject: 'S' }), server.plan('7'));
  stored({ name: 'Theirs', subject: 'S' });
  draft.edit({ subject: 'Ours' });
  await draft.save();

  expect(draft.state.plan).toMatchObject({ name: 'Theirs', subject: 'Ours' });
  expect(server.plan('7')).toMatchObject({ name: 'Theirs', subject: 'Ours' });
});

it('overwrites nothing that another changed too, until a person decides', async () => {
  const draft = new Draft(server, kept, stored({ subject: 'S' }), server.plan('7'));
  stored({ subject: 'Theirs' });
  draft.edit({ subject: 'Ours' });
  await expect(draft.save()).rejects.toThrow('elsewhere');
  expect(draft.state.saving).toMatchObject({ kind: 'conflict', fields: ['subject'] });
  expect(server.plan('7').subject).toBe('Theirs');
  draft.settle(['subject']);
  await draft.save();

  expect(server.plan('7').subject).toBe('Ours');
});

it('keeps what is typed while a save is under way', async () => {
  const draft = new Draft(server, kept, stored({ name: 'A' }), server.plan('7'));
  draft.edit({ name: 'B' });
  const saving = draft.save();
  draft.edit({ name: 'BC' });
  await saving;

  expect(server.plan('7').name).toBe('BC');
});

it('has nothing to save, and says so, where what was typed was taken back or the other side was chosen', async () => {
  const draft = new Draft(server, kept, stored({ subject: 'S' }), server.plan('7'));
  draft.edit({ subject: 'T' });
  draft.edit({ subject: 'S' });
  await vi.advanceTimersByTimeAsync(3000);
  expect(draft.state.saving.kind).toBe('clean');
  stored({ subject: 'Theirs' });
  draft.edit({ subject: 'Ours' });
  await vi.advanceTimersByTimeAsync(3000);
  draft.settle([]);
  await vi.advanceTimersByTimeAsync(3000);

  expect(draft.state.saving.kind).toBe('clean');
  expect(server.calls).toEqual([]);
});
