/** The plain-text part of an HTML mail: what a reader without HTML gets. Pure, and forgiving of any HTML. */

const TOKEN = /<!--[\s\S]*?(?:-->|$)|<(\/?)([a-zA-Z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>|[^<]+|</g;

/** What stands in these is not read. */
const UNREAD = /<(style|script|head|title)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;

const BLOCKS = new Set('p div h1 h2 h3 h4 h5 h6 blockquote table ul ol pre section article header footer'.split(' '));

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', ndash: '–', mdash: '—', hellip: '…', euro: '€', copy: '©',
  lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•', middot: '·', reg: '®', trade: '™', laquo: '«', raquo: '»', shy: '',
};

/** Words with their links behind them, lists with dashes or numbers, blank lines between paragraphs. */
export function textOf(html: string): string {
  const out = new Lines();
  const lists: (number | undefined)[] = [];
  const links: { href: string; from: number }[] = [];
  for (const [token, closing, tag, attributes] of html.replace(UNREAD, '').matchAll(TOKEN)) {
    if (!tag) {
      if (!token.startsWith('<!--')) out.add(decoded(token).replace(/[ \t\r\n]+/g, ' '));
      continue;
    }
    const name = tag.toLowerCase();
    if (BLOCKS.has(name)) out.end(lists.length > 0 || name === 'table' ? 1 : 2);
    else if (name === 'br' || name === 'tr') out.end(1, name === 'br');
    else if (name === 'hr' && !closing) out.rule();
    else if ((name === 'td' || name === 'th') && closing) out.add(' ');
    if (name === 'ul' || name === 'ol') {
      if (closing) lists.pop();
      else lists.push(name === 'ol' ? 0 : undefined);
      if (lists.length === 0) out.end(2);
    } else if (name === 'li' && !closing) {
      out.end(1);
      out.item(bullet(lists), lists.length);
    } else if (name === 'a' && !closing) links.push({ href: hrefOf(attributes ?? ''), from: out.length });
    else if (name === 'a') closeLink(out, links.pop());
  }
  return out.text();
}

function bullet(lists: (number | undefined)[]): string {
  const nth = lists.at(-1);
  if (nth === undefined) return '- ';
  lists[lists.length - 1] = nth + 1;
  return `${nth + 1}. `;
}

/** Words (address); the address alone where it is the words. */
function closeLink(out: Lines, link: { href: string; from: number } | undefined) {
  if (!link?.href) return;
  const words = out.since(link.from).trim();
  const bare = link.href.replace(/^(mailto|tel):/i, '');
  if (words !== bare && words !== link.href) out.add(words ? ` (${bare})` : bare);
}

function hrefOf(attributes: string): string {
  const match = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(attributes);
  return decoded(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim();
}

export function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal, hex, name) => {
    if (name) return ENTITIES[name as string] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex as string, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).replace(/\u00a0/, ' ') : '';
  });
}

/** Text that grows by lines: blanks at their ends and begins do not count. */
class Lines {
  private done = '';
  private pending = 0;
  /** A list item was begun, and nothing stands in it yet. */
  private isFresh = false;

  get length() {
    return this.done.length;
  }

  add(text: string) {
    const begins = this.done === '' || this.pending > 0 || /[\n ]$/.test(this.done);
    const words = begins ? text.replace(/^ +/, '') : text;
    if (!words) return;
    this.flush();
    this.isFresh = false;
    this.done += words;
  }

  /** Ends the line; with 2, leaves one blank. A `<br>` always makes a line. */
  end(lines: number, always = false) {
    if (this.done === '' || this.isFresh) return;
    this.pending = always ? this.pending + 1 : Math.max(this.pending, lines);
  }

  item(mark: string, depth: number) {
    this.isFresh = false;
    this.flush();
    this.isFresh = true;
    this.done += '  '.repeat(Math.max(depth - 1, 0)) + mark;
  }

  rule() {
    this.end(2);
    this.flush();
    this.done += '---';
    this.end(2);
  }

  since(from: number) {
    return this.done.slice(from);
  }

  text() {
    return this.done.trimEnd();
  }

  private flush() {
    if (this.pending === 0) return;
    this.done = this.done.replace(/ +$/, '') + '\n'.repeat(Math.min(this.pending, 3));
    this.pending = 0;
  }
}
