/** The recipients of a draft: lists and addresses on their way to it, and what came of them. */

import { ApiError, sentence } from '../api/error';
import type { Progress, Scan, Writing } from './csv/list';
import { CsvError } from './csv/reader';
import type { Draft } from './draft';
import { addressesIn, typedFile } from './sources';
import type { FileSource, Result, Source } from './sources';
import { namesOf, remapped } from './csv/columns';

export interface RecipientsApi {
  scan: (file: Blob, onProgress: Progress, signal: AbortSignal) => Promise<Scan>;
  rewrite: (file: Blob, scan: Scan, writing: Writing, onProgress: Progress, signal: AbortSignal) => Promise<Blob>;
  upload: (campaignId: string, file: Blob, onProgress: Progress, signal: AbortSignal) => Promise<Result>;
  /** How many recipients a campaign has. */
  total: (campaignId: string) => Promise<number>;
  /** A new draft with the plan of another. */
  copy: (campaignId: string) => Promise<string>;
  remove: (campaignId: string) => Promise<void>;
  kept: (campaignId: string) => Promise<readonly Source[]>;
  keep: (campaignId: string, sources: readonly Source[]) => Promise<void>;
}

export interface Work {
  name: string;
  phase: 'reading' | 'sending';
  /** 0 to 1. */
  share: number;
}

export interface RecipientsState {
  sources: readonly Source[];
  /** That the server has. */
  total: number;
  work: Work | undefined;
  /** What went wrong last, in bold and plain; `again` where a repeat may help. */
  problem: { title: string; text: string; again?: () => void } | undefined;
}

/** Lists that wait for a first mailbox: between mailboxes recipients are shared out as they come. */
export function isWaiting({ sources }: RecipientsState): boolean {
  return sources.some((source) => !source.result);
}

export class Recipients {
  private readonly listeners = new Set<() => void>();
  private stopping = new AbortController();
  private queue: Promise<unknown> = Promise.resolve();
  state: RecipientsState;

  constructor(
    private readonly api: RecipientsApi,
    private readonly draft: Draft,
    total: number,
  ) {
    this.state = { sources: [], total, work: undefined, problem: undefined };
    const { id } = draft.state;
    if (id !== undefined && total > 0) void api.kept(id).then((sources) => this.state.sources.length === 0 && this.set({ sources }));
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A file from this machine: added, or in the place of all that was there. */
  addFile(file: File, replace = false): void {
    this.run(file.name, async (signal) => {
      this.set({ work: { name: file.name, phase: 'reading', share: 0 } });
      const scan = await this.api.scan(file, this.progress('reading', file.name), signal);
      const mapping = scan.columns.map(({ name }) => name);
      const source: FileSource = { kind: 'file', id: crypto.randomUUID(), name: file.name, file, scan, mapping, without: [], result: undefined };
      if (replace && this.state.total > 0) await this.again([source], signal);
      else await this.append(replace ? [source] : [...this.state.sources, source], signal);
    });
  }

  /** Addresses that were typed or pasted; a table is taken as a file. False: there was no address in it. */
  addText(text: string): boolean {
    const { addresses, isTable } = addressesIn(text);
    if (addresses.length === 0) return false;
    if (isTable) this.addFile(new File([text], 'Pasted list'));
    else {
      this.run('addresses', async (signal) => {
        const source: Source = { kind: 'typed', id: crypto.randomUUID(), addresses, result: undefined };
        await this.append([...this.state.sources, source], signal);
      });
    }
    return true;
  }

  /** Sends what waits: once there is a mailbox. */
  sendWaiting(): void {
    if (isWaiting(this.state) && !this.state.work) this.run('recipients', (signal) => this.append(this.state.sources, signal));
  }

  removeAddress(address: string): void {
    const left = this.state.sources.flatMap((source): Source[] => {
      if (source.kind === 'file') return [source];
      const addresses = source.addresses.filter((each) => each !== address);
      return addresses.length > 0 ? [{ ...source, addresses }] : [];
    });
    this.anew(left);
  }

  removeSource(id: string): void {
    this.anew(this.state.sources.filter((source) => source.id !== id));
  }

  /** A column as another variable, or not at all. */
  remap(id: string, place: number, name: string | null): void {
    this.anew(this.changed(id, (source) => ({ ...source, mapping: remapped(source.mapping, place, name) })));
  }

  /** Another column is the one with the addresses. */
  readdress(id: string, emailAt: number): void {
    this.run('recipients', async (signal) => {
      const source = this.state.sources.find((each) => each.id === id);
      if (source?.kind !== 'file') return;
      const mapping = namesOf(source.scan.columns.map(({ title }) => title), emailAt);
      await this.again(this.changed(id, (each) => ({ ...each, scan: { ...each.scan, emailAt }, mapping })), signal);
    });
  }

  /** Without the rows that lack a variable. */
  leaveOut(name: string): void {
    this.anew(this.state.sources.map((source) => (source.kind === 'file' && source.mapping.includes(name) ? { ...source, without: [...source.without, name] } : source)));
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.stopping.abort();
    this.stopping = new AbortController();
  }

  private changed(id: string, change: (source: FileSource) => FileSource): Source[] {
    return this.state.sources.map((source) => (source.id === id && source.kind === 'file' ? change(source) : source));
  }

  private anew(sources: readonly Source[]): void {
    this.run('recipients', (signal) => this.again(sources, signal));
  }

  /** Sends what has no result yet, one after the other. */
  private async append(sources: readonly Source[], signal: AbortSignal): Promise<void> {
    this.set({ sources });
    if (this.draft.state.plan.mailboxIds.length === 0) return;
    const id = await this.draft.save();
    for (const source of this.state.sources) {
      if (source.result) continue;
      const result = await this.send(id, source, signal);
      this.set({ sources: this.state.sources.map((each) => (each.id === source.id ? { ...each, result } : each)) });
    }
    await this.counted(id);
  }

  /** All of it from the beginning. A draft gives no recipient back, so a new one takes the place of the old, which goes
   * only once the new one is whole: whatever fails on the way changes nothing. */
  private async again(sources: readonly Source[], signal: AbortSignal): Promise<void> {
    const before = await this.draft.save();
    if (this.draft.state.plan.mailboxIds.length === 0 || this.state.total === 0) {
      return this.append(sources.map((source) => ({ ...source, result: undefined })), signal);
    }
    const id = await this.api.copy(before);
    const sent: Source[] = [];
    try {
      for (const source of sources) sent.push({ ...source, result: await this.send(id, source, signal) });
      await this.draft.save();
    } catch (error) {
      await this.api.remove(id).catch(() => undefined);
      throw error;
    }
    this.draft.moved(id);
    this.set({ sources: sent });
    await this.counted(id);
    await this.api.keep(before, []);
    await this.api.remove(before).catch(() => undefined);
  }

  private async send(id: string, source: Source, signal: AbortSignal): Promise<Result> {
    const name = source.kind === 'file' ? source.name : 'addresses';
    if (source.kind === 'typed') return this.api.upload(id, typedFile(source.addresses), () => undefined, signal);
    const list = await this.api.rewrite(source.file, source.scan, { mapping: source.mapping, without: source.without }, this.progress('reading', name), signal);
    const result = await this.api.upload(id, list, this.progress('sending', name), signal);
    const shift = source.scan.isHeaded ? 0 : 1;
    return { ...result, rejected: result.rejected.map((row) => ({ ...row, line: row.line - shift })) };
  }

  private async counted(id: string): Promise<void> {
    this.set({ total: await this.api.total(id) });
    await this.api.keep(id, this.state.sources);
  }

  private progress(phase: Work['phase'], name: string): Progress {
    return (share) => this.set({ work: { name, phase, share } });
  }

  /** One thing after the other: each begins from what the one before left. */
  private run(name: string, act: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.stopping;
    this.set({ work: this.state.work ?? { name, phase: 'sending', share: 0 } });
    this.queue = this.queue.then(async () => {
      this.set({ work: { name, phase: 'sending', share: 0 }, problem: undefined });
      try {
        await act(signal);
      } catch (error) {
        // What is in the list but was not sent waits; the rest is done over.
        const again = () => (isWaiting(this.state) ? this.sendWaiting() : this.run(name, act));
        if (!signal.aborted) this.set({ problem: { ...worded(error, name), ...(error instanceof CsvError ? {} : { again }) } });
      } finally {
        this.set({ work: undefined });
      }
    });
  }

  private set(patch: Partial<RecipientsState>): void {
    this.state = { ...this.state, ...patch };
    for (const listener of this.listeners) listener();
  }
}

function worded(error: unknown, name: string): { title: string; text: string } {
  if (error instanceof CsvError) {
    if (error.message === 'no column with addresses') return { title: 'The file is not a list.', text: `We found no column with addresses in "${name}". Use a CSV or TXT with one address a row.` };
    return { title: `"${name}" cannot be read.`, text: sentence(error.message) };
  }
  if (error instanceof ApiError && error.unreachable) return { title: 'The recipients were not all taken: Maillane does not answer.', text: 'What it has stays, and a repeat adds only the rest.' };
  if (error instanceof ApiError && error.code === 413) return { title: `"${name}" is too large.`, text: 'Split it, and add one part after the other.' };
  if (error instanceof ApiError) return { title: 'The recipients were not taken.', text: sentence(Object.values(error.fields)[0] ?? error.message) };
  return { title: 'The recipients were not taken.', text: 'The draft could not be saved first.' };
}
