/** Server-sent events by fetch: unlike EventSource it tells a refusal from a lost connection. */

import { CSRF } from './client';
import { ApiError, toError, unreachable } from './error';

export interface StreamState {
  /** Since when nothing has come; undefined while it is connected. */
  lostAt?: Date | undefined;
}

interface Listener<T> {
  onMessage: (message: T) => void;
  onState: (state: StreamState) => void;
}

/** The first wait before a lost stream is asked for again; each further one is twice as long, up to LONGEST_MS. */
const FIRST_MS = 500;
const LONGEST_MS = 10_000;
/** The server says something each 15 s, if only a comment: after this long without it, the connection is dead. */
const SILENCE_MS = 40_000;

/** Follows a stream until `signal` is aborted; connects again whenever it ends. Rests while the page is hidden. */
export async function follow<T>(url: string, listener: Listener<T>, signal: AbortSignal): Promise<void> {
  let pause = FIRST_MS;
  let lostAt: Date | undefined;
  while (!signal.aborted) {
    await visible(signal);
    try {
      await once(url, signal, (message: T) => {
        pause = FIRST_MS;
        lostAt = undefined;
        listener.onState({});
        listener.onMessage(message);
      });
      // It ended by itself: nothing more will change, or the server restarts.
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && [401, 403, 404, 501].includes(error.code)) return;
      // A further try that fails loses nothing more.
      lostAt ??= new Date();
      if (!document.hidden) listener.onState({ lostAt });
    }
    await waited(pause + Math.random() * 250, signal);
    pause = Math.min(pause * 2, LONGEST_MS);
  }
}

async function once<T>(url: string, outer: AbortSignal, onMessage: (message: T) => void): Promise<void> {
  const own = new AbortController();
  const signal = AbortSignal.any([outer, own.signal]);
  const hide = () => document.hidden && own.abort();
  document.addEventListener('visibilitychange', hide);
  let silence = setTimeout(() => own.abort(), SILENCE_MS);
  try {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...CSRF }, signal }).catch(() => {
      throw unreachable();
    });
    if (!response.ok || !response.body) {
      throw toError(response.status, await response.json().catch(() => null), response.headers.get('x-request-id') ?? '');
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => own.abort(), SILENCE_MS);
      const [events, left] = split(rest + value);
      rest = left;
      for (const event of events) {
        if (event.name === 'error') throw toError(503, JSON.parse(event.data), '');
        onMessage(JSON.parse(event.data) as T);
      }
    }
  } finally {
    clearTimeout(silence);
    document.removeEventListener('visibilitychange', hide);
    own.abort();
  }
}

/** Whole events of a text, and what is left of it. */
export function split(text: string): [{ name: string; data: string }[], string] {
  const blocks = text.split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = blocks.flatMap((block) => {
    const lines = block.split('\n');
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
    const name = lines.find((line) => line.startsWith('event:'))?.slice(6).trim() ?? '';
    return data.length > 0 ? [{ name, data: data.join('\n') }] : [];
  });
  return [events, rest];
}

function visible(signal: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', () => resolve(), { once: true, signal });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
