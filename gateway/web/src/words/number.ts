/** Counts in words: exact, with thousands set off. */

const FORMAT = new Intl.NumberFormat('en-US');

/** 1,240 */
export function count(value: number): string {
  return FORMAT.format(value);
}

/** 1 email, 1,240 emails */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** First, second … for attempts. */
export function ordinal(value: number): string {
  const names = ['', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
  return names[value] ?? `${value}th`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** sales@ of sales@tidewell.example */
export function short(address: string): string {
  const at = address.lastIndexOf('@');
  return at > 0 ? address.slice(0, at + 1) : address;
}
