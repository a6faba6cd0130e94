/** Keeps sources in this browser, by draft: the files themselves, which a reload would lose. */

import type { Source } from './sources';

const NAME = 'maillane';
const STORE = 'sources';
/** Of drafts whose lists are kept; the oldest go. */
const MOST_DRAFTS = 20;

interface Entry {
  at: number;
  sources: readonly Source[];
}

/** What is kept of a draft; nothing where the browser keeps nothing. */
export async function keptSources(draft: string): Promise<readonly Source[]> {
  try {
    const entry = (await run('readonly', (store) => store.get(draft))) as Entry | undefined;
    return entry?.sources ?? [];
  } catch {
    return [];
  }
}

export async function keepSources(draft: string, sources: readonly Source[], at: number): Promise<void> {
  try {
    if (sources.length === 0) return void (await run('readwrite', (store) => store.delete(draft)));
    await run('readwrite', (store) => store.put({ at, sources } satisfies Entry, draft));
    await dropOld();
  } catch {
    // The server has the recipients; only their columns cannot be changed after a reload.
  }
}

async function dropOld(): Promise<void> {
  const keys = await run('readonly', (store) => store.getAllKeys());
  if (keys.length <= MOST_DRAFTS) return;
  const entries = (await run('readonly', (store) => store.getAll())) as Entry[];
  const byAge = keys.map((key, place) => ({ key, at: entries[place]?.at ?? 0 })).sort((one, other) => one.at - other.at);
  for (const { key } of byAge.slice(0, keys.length - MOST_DRAFTS)) await run('readwrite', (store) => store.delete(key));
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the browser keeps nothing'));
  });
}
