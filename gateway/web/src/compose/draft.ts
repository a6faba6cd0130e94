/** A draft that is being written: kept in this browser at once, on the server within 2 s, and never lost in between. */

import { ApiError } from '../api/error';
import { changed, EMPTY, FIELDS, merge } from './plan';
import type { Field, Plan } from './plan';
import { placeholders } from './template';

/** What a draft asks of the API. Each rejects with an ApiError. */
export interface DraftApi {
  create: (plan: Plan, requestId: string) => Promise<{ id: string; plan: Plan }>;
  get: (id: string) => Promise<Plan>;
  update: (id: string, plan: Plan, fields: readonly Field[]) => Promise<Plan>;
}

export type Saving =
  | { kind: 'clean' }
  | { kind: 'unsaved' }
  | { kind: 'saving' }
  | { kind: 'saved'; at: number }
  | { kind: 'failed'; error: unknown }
  | { kind: 'conflict'; fields: readonly Field[]; theirs: Plan };

export interface DraftState {
  /** Undefined: the server does not have it yet. */
  id: string | undefined;
  plan: Plan;
  saving: Saving;
}

interface Kept {
  plan: Plan;
  base: Plan;
  /** Of a create that was not answered: repeated with the same body, it makes no second draft. */
  create?: { requestId: string; plan: Plan } | undefined;
}

/** After the last key, and after the first at the latest. */
const SAVE_AFTER_MS = 800;
const SAVE_WITHIN_MS = 1800;
/** After the last key while a variable is half written: the server would refuse it, and most are whole a moment later. */
const SAVE_HALF_AFTER_MS = 5000;
/** After a call that nobody answered. */
const AGAIN_AFTER_MS = 5000;

const KEY = 'maillane.draft.';

export class Draft {
  private base: Plan;
  private create: Kept['create'];
  private unsavedSince: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private readonly listeners = new Set<() => void>();
  state: DraftState;

  /** A draft as the server has it, or with `id` undefined a new one; what this browser kept of it comes on top. */
  constructor(
    private readonly api: DraftApi,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
    id: string | undefined,
    theirs: Plan = EMPTY,
  ) {
    const kept = this.kept(id);
    const merged = kept ? merge(kept.base, kept.plan, theirs) : { plan: theirs, conflicts: [] };
    this.base = theirs;
    this.create = kept?.create;
    this.state = { id, plan: merged.plan, saving: { kind: 'clean' } };
    if (merged.conflicts.length > 0) this.state = { ...this.state, saving: { kind: 'conflict', fields: merged.conflicts, theirs } };
    else if (this.isUnsaved) this.later();
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get isUnsaved(): boolean {
    return changed(this.base, this.state.plan).length > 0;
  }

  edit(patch: Partial<Plan>): void {
    this.set({ plan: { ...this.state.plan, ...patch } });
    this.keep();
    if (this.state.saving.kind === 'conflict') return;
    if (this.isUnsaved) this.later();
  }

  /** A conflict decided: these fields as they were written here, the others as elsewhere. */
  settle(ours: readonly Field[]): void {
    const { saving, plan } = this.state;
    if (saving.kind !== 'conflict') return;
    const taken = saving.fields.filter((field) => !ours.includes(field));
    this.base = saving.theirs;
    this.set({ plan: { ...plan, ...Object.fromEntries(taken.map((field) => [field, saving.theirs[field]])) }, saving: { kind: 'unsaved' } });
    this.keep();
    this.later();
  }

  /** Saves all that is not saved yet, and answers with the draft's id.
   * @throws what the API answered, or an Error where a conflict waits for a person
   */
  async save(): Promise<string> {
    while (this.isUnsaved || this.state.id === undefined || this.running) {
      this.running ??= this.once().finally(() => {
        this.running = undefined;
      });
      await this.running;
    }
    // What was typed and taken back, or decided for the other side, needs no call.
    if (this.state.saving.kind === 'unsaved' || this.state.saving.kind === 'failed') this.set({ saving: { kind: 'clean' } });
    return this.state.id;
  }

  /** The same, as another campaign of the server, which has all that was saved. */
  moved(id: string): void {
    this.forget();
    this.set({ id });
    this.keep();
  }

  /** It has been scheduled or deleted: nothing of it is kept or saved any more. */
  end(): void {
    this.stop();
    this.forget();
  }

  /** No timer any more; what was written stays kept. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async once(): Promise<void> {
    this.stop();
    this.unsavedSince = undefined;
    if (this.state.saving.kind === 'conflict') throw new Error('it was changed elsewhere');
    this.set({ saving: { kind: 'saving' } });
    try {
      if (this.state.id === undefined) await this.createIt();
      else await this.updateIt(this.state.id);
    } catch (error) {
      if (this.isConflict()) throw error;
      this.set({ saving: { kind: 'failed', error } });
      if (error instanceof ApiError && error.unreachable) this.again(AGAIN_AFTER_MS);
      throw error;
    }
    this.keep();
    this.set({ saving: this.isUnsaved ? { kind: 'unsaved' } : { kind: 'saved', at: Date.now() } });
    if (this.isUnsaved) this.later();
  }

  private async createIt(): Promise<void> {
    this.create ??= { requestId: crypto.randomUUID(), plan: this.state.plan };
    this.keep();
    const { id, plan } = await this.api.create(this.create.plan, this.create.requestId);
    this.base = plan;
    this.create = undefined;
    this.moved(id);
  }

  private async updateIt(id: string): Promise<void> {
    const theirs = await this.api.get(id);
    const merged = merge(this.base, this.state.plan, theirs);
    if (merged.conflicts.length > 0) {
      this.set({ saving: { kind: 'conflict', fields: merged.conflicts, theirs } });
      throw new Error('it was changed elsewhere');
    }
    this.base = theirs;
    this.set({ plan: merged.plan });
    const fields = changed(theirs, merged.plan);
    // What was sent, and not the answer: were something normalised there, it would be sent again and again.
    if (fields.length > 0) await this.api.update(id, merged.plan, fields);
    this.base = merged.plan;
  }

  private isConflict(): boolean {
    return this.state.saving.kind === 'conflict';
  }

  private later(): void {
    const now = Date.now();
    this.unsavedSince ??= now;
    if (this.state.saving.kind !== 'saving' && this.state.saving.kind !== 'failed') this.set({ saving: { kind: 'unsaved' } });
    const isHalf = [this.state.plan.subject, this.state.plan.html, this.state.plan.text].some((text) => placeholders(text).wrongAt !== undefined);
    this.again(isHalf ? SAVE_HALF_AFTER_MS : Math.max(0, Math.min(SAVE_AFTER_MS, this.unsavedSince + SAVE_WITHIN_MS - now)));
  }

  private again(afterMs: number): void {
    this.stop();
    this.timer = setTimeout(() => void this.save().catch(() => undefined), afterMs);
  }

  private set(patch: Partial<DraftState>): void {
    this.state = { ...this.state, ...patch };
    for (const listener of this.listeners) listener();
  }

  private kept(id: string | undefined): Kept | undefined {
    try {
      const kept = JSON.parse(this.storage.getItem(key(id)) ?? 'null') as Kept | null;
      return kept && FIELDS.every((field) => field === 'startTime' || field === 'hourlyLimit' || field in kept.plan) ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  /** Only what the server does not have. */
  private keep(): void {
    if (!this.isUnsaved && !this.create) return this.forget();
    try {
      this.storage.setItem(key(this.state.id), JSON.stringify({ plan: this.state.plan, base: this.base, create: this.create } satisfies Kept));
    } catch {
      // The browser's room is used up, or it keeps nothing in this window: then the server alone does.
    }
  }

  private forget(): void {
    this.storage.removeItem(key(this.state.id));
  }
}

function key(id: string | undefined): string {
  return KEY + (id ?? 'new');
}
