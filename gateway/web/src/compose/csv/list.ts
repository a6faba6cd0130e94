/** Reads a list of recipients as it lies in a file: what is in it, and the same as the CSV that the API takes. */

import { looksLikeAddress, MAX_COLUMNS, namesOf, shapeOf } from './columns';
import { CsvError, delimiterOf, RowReader } from './reader';
import type { Row } from './reader';

export interface Column {
  title: string;
  /** The variable that it becomes by itself; null: it is the address. */
  name: string | null;
  /** Recipients without a value. */
  empty: number;
  /** Of the first row. */
  first: string;
}

export interface Scan {
  /** Without the header. */
  rows: number;
  columns: Column[];
  emailAt: number;
  isHeaded: boolean;
  delimiter: string;
  encoding: string;
}

/** How a list is written: columns as variables (null: not used), without rows that lack one of `without`. */
export interface Writing {
  mapping: readonly (string | null)[];
  without: readonly string[];
}

/** The first rows, by which a file's shape is judged. */
const JUDGED = 100;
/** Of addresses remembered, to count a recipient once; beyond, one that comes again is counted again. */
const MOST_REMEMBERED = 1_000_000;
/** Of a file, at a time. */
const PIECE_BYTES = 256 * 1024;
/** Text that is gathered before it becomes a part of the new file. */
const PART_CHARS = 1024 * 1024;

export type Progress = (share: number) => void;

/** What is in a file.
 * @throws {CsvError} it is no list, or cannot be read on
 */
export async function scan(file: Blob, onProgress: Progress = () => undefined): Promise<Scan> {
  const { encoding, delimiter } = await look(file);
  const judged: Row[] = [];
  let found: Scan | undefined;
  const seen = new Set<string>();
  const judge = () => {
    found = begun(judged, delimiter, encoding);
    for (const row of found.isHeaded ? judged.slice(1) : judged) tally(found, row, seen);
  };
  await eachRow(file, encoding, delimiter, onProgress, (row) => {
    if (found) return tally(found, row, seen);
    judged.push(row);
    if (judged.length === JUDGED) judge();
  });
  if (!found) judge();
  if (!found) throw new CsvError(1, 'the file is empty');
  return found;
}

function begun(rows: readonly Row[], delimiter: string, encoding: string): Scan {
  if (rows.length === 0) throw new CsvError(1, 'the file is empty');
  const { isHeaded, emailAt, titles } = shapeOf(rows.map((row) => row.fields));
  if (emailAt < 0) throw new CsvError(1, 'no column with addresses');
  if (titles.length > MAX_COLUMNS) throw new CsvError(1, `it has ${titles.length} columns; at most ${MAX_COLUMNS} are allowed`);
  const names = namesOf(titles, emailAt);
  const columns = titles.map((title, place) => ({ title, name: names[place] ?? null, empty: 0, first: '' }));
  return { rows: 0, columns, emailAt, isHeaded, delimiter, encoding };
}

function tally(found: Scan, { fields }: Row, seen: Set<string>) {
  const address = (fields[found.emailAt] ?? '').trim();
  found.rows++;
  if (!looksLikeAddress(address)) return;
  const key = address.toLowerCase();
  if (seen.has(key)) return;
  const isFirst = seen.size === 0;
  if (seen.size < MOST_REMEMBERED) seen.add(key);
  found.columns.forEach((column, place) => {
    const value = (fields[place] ?? '').trim();
    if (!value) column.empty++;
    if (isFirst) column.first = value;
  });
}

/** The list as the API takes it: UTF-8, commas, a header of variables. Each row stays on its line (one lower where the
 * file had no header), so that what is said of a line is true of the file. */
export async function rewrite(file: Blob, { encoding, delimiter, emailAt, isHeaded, columns }: Scan, { mapping, without }: Writing, onProgress: Progress = () => undefined): Promise<Blob> {
  const used = columns.flatMap((_, place) => (place === emailAt || mapping[place] ? [place] : []));
  const needed = used.filter((place) => without.includes(mapping[place] ?? ''));
  const parts: Blob[] = [];
  let [text, line, skip] = ['', 1, isHeaded];
  const header = used.map((place) => (place === emailAt ? 'email' : (mapping[place] ?? ''))).join(',');
  const shift = isHeaded ? 0 : 1;
  await eachRow(file, encoding, delimiter, onProgress, (row) => {
    if (line === 1) {
      const at = isHeaded ? row.line : 1;
      text += `${'\n'.repeat(at - 1)}${header}\n`;
      line = at + 1;
    }
    if (skip) {
      skip = false;
      return;
    }
    if (needed.some((place) => !row.fields[place]?.trim())) return;
    if (row.line + shift > line) text += '\n'.repeat(row.line + shift - line);
    const written = used.map((place) => quoted(row.fields[place] ?? '')).join(',');
    text += `${written}\n`;
    line = row.line + shift + 1 + breaks(written);
    if (text.length > PART_CHARS) {
      parts.push(new Blob([text]));
      text = '';
    }
  });
  return new Blob([...parts, text], { type: 'text/csv' });
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""').replace(/\r\n?/g, '\n')}"` : value;
}

function breaks(text: string): number {
  return text.includes('\n') ? text.split('\n').length - 1 : 0;
}

/** How a file is written, from its beginning; its end too where that says whether it is UTF-8. */
async function look(file: Blob): Promise<{ encoding: string; delimiter: string }> {
  const bytes = new Uint8Array(await file.slice(0, PIECE_BYTES).arrayBuffer());
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new CsvError(1, 'this is an Excel workbook or a ZIP archive; save it as CSV');
  const encoding = encodingOf(bytes);
  const text = new TextDecoder(encoding).decode(bytes);
  if (text.includes('\0')) throw new CsvError(1, 'no column with addresses');
  const first = text.replace(/^[\s\r\n]+/, '').split(/[\r\n]/, 1)[0] ?? '';
  return { encoding: encoding === 'utf-8' ? await utf8OrWindows(file) : encoding, delimiter: delimiterOf(first) };
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** What Excel saves on Windows is no UTF-8: then it is read as Windows writes it. */
async function utf8OrWindows(file: Blob): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < file.size; at += PIECE_BYTES) {
      decoder.decode(await file.slice(at, at + PIECE_BYTES).arrayBuffer(), { stream: true });
    }
    decoder.decode();
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

async function eachRow(file: Blob, encoding: string, delimiter: string, onProgress: Progress, onRow: (row: Row) => void) {
  const decoder = new TextDecoder(encoding);
  const reader = new RowReader(delimiter, onRow);
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    reader.feed(decoder.decode(await file.slice(at, at + PIECE_BYTES).arrayBuffer(), { stream: true }));
    onProgress(Math.min(1, (at + PIECE_BYTES) / file.size));
  }
  reader.feed(decoder.decode());
  reader.finish();
}
