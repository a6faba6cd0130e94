/** The one way to the API: typed by the paths of its own document. */

import { toError, unreachable } from './error';
import type { paths } from './schema.gen';

type Verb = 'get' | 'post' | 'patch' | 'delete';

type Operation<P extends keyof paths, V extends Verb> = NonNullable<paths[P][V]>;

type Answer<O> = O extends { responses: { 200: { content: { 'application/json': infer A } } } } ? A : never;

type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;

type Path<O> = O extends { parameters: { path: infer Q } } ? Q : never;

type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } } ? Partial_<B> : never;

/** In a request everything may be left out; the types say what answers have. */
type Partial_<T> = T extends (infer E)[] ? Partial_<E>[] : T extends object ? { [K in keyof T]?: Partial_<T[K]> } : T;

interface Options<O> {
  path?: Path<O>;
  query?: Query<O>;
  body?: Body<O>;
  /** Of an update: the fields that the mask names. */
  mask?: readonly string[];
  signal?: AbortSignal | undefined;
}

/** A call that hangs for longer is given up: the longest honest one, a stop of the workspace, takes 8 s, a verification 15. */
const TIMEOUT_MS = 30_000;

/** Told of every 401, so that the shell can show the sign-in page whatever was asked. */
let onSignedOut: () => void = () => undefined;

export function whenSignedOut(told: () => void): void {
  onSignedOut = told;
}

/** Calls the API.
 * @throws {ApiError} it did not succeed
 * @throws {DOMException} AbortError: `signal` was aborted
 */
export async function call<P extends keyof paths, V extends Verb>(
  verb: V,
  path: P,
  options: Options<Operation<P, V>> = {},
): Promise<Answer<Operation<P, V>>> {
  const { body, signal } = options;
  return (await request(verb.toUpperCase(), address(path, options), {
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    ...(signal ? { signal } : {}),
  })) as Answer<Operation<P, V>>;
}

/** One call outside of the API's document, /auth for one; the same headers, the same errors. */
export async function request(verb: string, url: string, init: RequestInit = {}): Promise<unknown> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  let response: Response;
  try {
    response = await fetch(url, { ...init, method: verb, signal, headers: { ...CSRF, ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) return answer;
  if (response.status === 401) onSignedOut();
  throw toError(response.status, answer, response.headers.get('x-request-id') ?? '');
}

/** What no form of another site can send: the gateway asks for it where a cookie opens. */
export const CSRF = { 'x-maillane-csrf': '1' } as const;

/** The address of a call: variables put in, the query behind. */
export function address(
  path: string,
  { path: variables, query, mask }: { path?: unknown; query?: unknown; mask?: readonly string[] },
): string {
  const values = (variables ?? {}) as Record<string, string>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== '' && value !== null) search.set(name, String(value));
  }
  if (mask) search.set('updateMask', mask.join(','));
  const text = search.toString();
  return text ? `${filled}?${text}` : filled;
}

function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return null;
  }
}
