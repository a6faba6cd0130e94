/** The grammar of `{{variables}}`, as the scheduler has it: `{{name}}` and `{{name|fallback}}`. */

export interface Placeholder {
  name: string;
  /** Undefined where there is none, which is not the same as empty. */
  fallback: string | undefined;
  start: number;
  end: number;
}

/** A variable's name. */
export const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** The one variable that no recipient brings: the link that ends mail. */
export const UNSUBSCRIBE = 'unsubscribe_url';

/** A longer fallback is a forgotten brace; the scheduler refuses it. */
export const MAX_FALLBACK = 200;

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}\r\n]*))?\}\}/y;

/** The placeholders of a text, in order, and the first place where two braces begin none. */
export function placeholders(text: string): { found: Placeholder[]; wrongAt: number | undefined } {
  const found: Placeholder[] = [];
  for (let at = text.indexOf('{{'); at >= 0; at = text.indexOf('{{', PLACEHOLDER.lastIndex)) {
    PLACEHOLDER.lastIndex = at;
    const match = PLACEHOLDER.exec(text);
    const fallback = match?.[2]?.replace(/^[ \t]+|[ \t]+$/g, '');
    if (!match?.[1] || (fallback ?? '').length > MAX_FALLBACK) return { found, wrongAt: at };
    found.push({ name: match[1], fallback, start: at, end: PLACEHOLDER.lastIndex });
  }
  return { found, wrongAt: undefined };
}

export function written(name: string, fallback: string | undefined): string {
  return fallback === undefined ? `{{${name}}}` : `{{${name}|${fallback}}}`;
}

/** The names that texts use, each once, in order. */
export function usedIn(...texts: string[]): string[] {
  return [...new Set(texts.flatMap((text) => placeholders(text).found.map(({ name }) => name)))];
}

/** The names that every recipient must have a value for: they stand somewhere without a fallback. */
export function neededIn(...texts: string[]): string[] {
  const bare = texts.flatMap((text) => placeholders(text).found.filter(({ fallback }) => fallback === undefined));
  return [...new Set(bare.map(({ name }) => name))].filter((name) => name !== UNSUBSCRIBE);
}

/** The first fallback that texts give a name. */
export function fallbackOf(name: string, ...texts: string[]): string | undefined {
  return texts.flatMap((text) => placeholders(text).found).find((each) => each.name === name && each.fallback !== undefined)?.fallback;
}

/** The text with this fallback wherever the name stands; empty: with none. */
export function withFallback(text: string, name: string, fallback: string): string {
  let [result, at] = ['', 0];
  for (const each of placeholders(text).found) {
    if (each.name !== name) continue;
    result += text.slice(at, each.start) + written(name, fallback === '' ? undefined : fallback);
    at = each.end;
  }
  return result + text.slice(at);
}

/** What may stand in a fallback: no braces, no line breaks, and nothing that would begin a tag where it stands in HTML. */
export function asFallback(typed: string): string {
  return typed.replace(/[{}|<>]/g, '').replace(/[\r\n]+/g, ' ').slice(0, MAX_FALLBACK);
}

/** Texts of one message after one of them was changed: a fallback that was written there stands everywhere, for one
 * word is asked for a variable, not one for each place. */
export function agreed<T extends Readonly<Record<string, string>>>(before: T, after: T): T {
  let result = after;
  for (const key of Object.keys(after)) {
    for (const { name, fallback } of placeholders(after[key] ?? '').found) {
      if (fallback === undefined || fallbackOf(name, before[key] ?? '') === fallback) continue;
      result = Object.fromEntries(Object.entries(result).map(([each, text]) => [each, withFallback(text, name, fallback)])) as T;
    }
  }
  return result;
}
