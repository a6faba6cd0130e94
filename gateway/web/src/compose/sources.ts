/** Where recipients come from: files and addresses that were typed. What was read of them is kept in this browser, so
 * that their columns can become other variables later. */

import type { RejectedRow } from '../api/types';
import type { Scan } from './csv/list';

export interface Result {
  accepted: number;
  duplicates: number;
  rejected: readonly RejectedRow[];
  rejectedCount: number;
}

export interface FileSource {
  kind: 'file';
  id: string;
  name: string;
  file: Blob;
  scan: Scan;
  /** By column: its variable; null: not used, or the address. */
  mapping: readonly (string | null)[];
  /** Rows that lack one of these are left out. */
  without: readonly string[];
  /** Undefined: the server does not have it yet. */
  result: Result | undefined;
}

export interface TypedSource {
  kind: 'typed';
  id: string;
  addresses: readonly string[];
  result: Result | undefined;
}

export type Source = FileSource | TypedSource;

/** Of addresses that stand as chips; more are a list, and shown as one. */
export const MOST_CHIPS = 100;

/** The addresses in what was typed or pasted, each once; and whether it is something else, a table for one. */
export function addressesIn(text: string): { addresses: string[]; isTable: boolean } {
  const parts = text.split(/[\s,;]+/).map((part) => part.replace(/^[<"'(]+|[>"')]+$/g, '')).filter(Boolean);
  const addresses = [...new Map(parts.filter((part) => part.includes('@')).map((part) => [part.toLowerCase(), part])).values()];
  const isTable = addresses.length > MOST_CHIPS || (addresses.length > 1 && /\n/.test(text.trim()) && parts.length > addresses.length + 2 && /[,;\t]/.test(text));
  return { addresses, isTable };
}

/** Typed addresses as the API takes them. */
export function typedFile(addresses: readonly string[]): Blob {
  return new Blob([`email\n${addresses.map((address) => `"${address.replaceAll('"', '""')}"\n`).join('')}`], { type: 'text/csv' });
}

/** The variables that sources bring, each once, in the order of their columns. */
export function variablesOf(sources: readonly Source[]): string[] {
  return [...new Set(sources.flatMap((source) => (source.kind === 'file' ? source.mapping.filter((name) => name !== null) : [])))];
}

/** Recipients without a value, by variable, for the names in question. */
export function missingBy(names: readonly string[], sources: readonly Source[]): Map<string, number> {
  return new Map(names.map((name) => [name, sources.reduce((sum, source) => sum + lacking(source, name), 0)]));
}

/** In one source. Where rows were left out, the rest has it. */
export function lacking(source: Source, name: string): number {
  const all = source.result?.accepted ?? 0;
  if (source.kind === 'typed') return all;
  const place = source.mapping.indexOf(name);
  if (place < 0) return all;
  return source.without.includes(name) ? 0 : Math.min(all, source.scan.columns[place]?.empty ?? 0);
}

/** Rows left out as a CSV; a value that a spreadsheet would run as a formula gets a quote before it. */
export function rejectedCsv(rows: readonly RejectedRow[]): string {
  const cell = (value: string) => `"${(/^[=+\-@\t\r]/.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
  return ['line,value,reason', ...rows.map(({ line, value, reason }) => `${line},${cell(value)},${cell(reason)}`)].join('\r\n');
}

/** Why a row was left out: the server's words, without what every one begins with. */
export function reasonWords(reason: string): string {
  return reason.replace(/^is not one address: /, '');
}
