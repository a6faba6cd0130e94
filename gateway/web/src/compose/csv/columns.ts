/** What the columns of a list mean: which holds addresses, and which variable each becomes. Pure. */

import { NAME, UNSUBSCRIBE } from '../template';

/** As many variables as a recipient may have. */
export const MAX_COLUMNS = 100;

const ADDRESS_TITLES = new Set(['email', 'e_mail', 'mail', 'email_address', 'e_mail_address', 'emailaddress', 'recipient', 'address', 'work_email', 'e_mail_adresse']);

/** One that a person would call an address; whether it is one, the scheduler says. */
export function looksLikeAddress(value: string): boolean {
  return /^[^\s@<>,;"]+@[^\s@<>,;"]+$/.test(value.trim());
}

export interface Shape {
  /** The first row names the columns. */
  isHeaded: boolean;
  /** Which column holds addresses; -1: none does. */
  emailAt: number;
  /** Of each column, as the file has them, or Column 2. */
  titles: string[];
}

/** What the first rows of a list say of it. */
export function shapeOf(rows: readonly (readonly string[])[]): Shape {
  const [first = [], ...rest] = rows;
  const isHeaded = !first.some(looksLikeAddress);
  const width = isHeaded ? trimmed(first).length : Math.max(0, ...rows.map((row) => trimmed(row).length));
  const titles = Array.from({ length: width }, (_, place) => (isHeaded && first[place]?.trim()) || `Column ${place + 1}`);
  return { isHeaded, titles, emailAt: emailColumn(isHeaded ? rest : rows, titles, isHeaded) };
}

function emailColumn(rows: readonly (readonly string[])[], titles: readonly string[], isHeaded: boolean): number {
  const addresses = titles.map((_, place) => rows.filter((row) => looksLikeAddress(row[place] ?? '')).length);
  const named = titles.findIndex((title) => ADDRESS_TITLES.has(plain(title)));
  if (isHeaded && named >= 0 && ((addresses[named] ?? 0) > 0 || rows.length === 0)) return named;
  const most = Math.max(0, ...addresses);
  return most > 0 ? addresses.indexOf(most) : named;
}

function trimmed(row: readonly string[]): readonly string[] {
  let end = row.length;
  while (end > 0 && !row[end - 1]?.trim()) end--;
  return row.slice(0, end);
}

function plain(title: string): string {
  return title.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/ß/g, 'ss').trim().replace(/[^A-Za-z0-9_]+/g, '_').replace(/^_+|_+$/g, '').toLowerCase();
}

/** The variable that each column becomes by itself: First name → first_name; null: it is the address. None twice. */
export function namesOf(titles: readonly string[], emailAt: number): (string | null)[] {
  const taken = new Set(['email', UNSUBSCRIBE]);
  return titles.map((title, place) => {
    if (place === emailAt) return null;
    const begun = plain(title);
    const name = (NAME.test(begun) ? begun : `column_${place + 1}`).slice(0, 60);
    let free = name;
    for (let nth = 2; taken.has(free); nth++) free = `${name}_${nth}`;
    taken.add(free);
    return free;
  });
}

/** The mapping with a column as another variable (null: not used). Whoever had that name is not used any more. */
export function remapped(mapping: readonly (string | null)[], place: number, name: string | null): (string | null)[] {
  return mapping.map((each, at) => (at === place ? name : name !== null && each === name ? null : each));
}
