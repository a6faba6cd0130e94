/** What the editor can write: the schemas of a message and of a subject, and their HTML as mail readers take it. */

import { Schema } from 'prosemirror-model';
import type { Mark, Node, NodeSpec } from 'prosemirror-model';
import { placeholders, written } from './template';

/** A variable is one atom: the caret steps over it. */
const variable: NodeSpec = {
  inline: true,
  group: 'inline',
  atom: true,
  attrs: { name: {}, fallback: { default: null } },
  leafText: (node) => asWritten(node),
  toDOM: (node) => [
    'span',
    { class: 'variable', 'data-variable': asWritten(node) },
    String(node.attrs['name']),
    ...(node.attrs['fallback'] ? [['small', {}, String(node.attrs['fallback'])]] : []),
  ],
  parseDOM: [
    {
      tag: 'span[data-variable]',
      getAttrs: (element) => {
        const [found] = placeholders(element.dataset['variable'] ?? '').found;
        return found ? { name: found.name, fallback: found.fallback ?? null } : false;
      },
    },
  ],
};

export const MESSAGE = new Schema({
  nodes: {
    doc: { content: 'block+' },
    paragraph: { group: 'block', content: 'inline*', toDOM: () => ['p', 0], parseDOM: [{ tag: 'p' }, { tag: 'h1, h2, h3, h4, h5, h6' }, { tag: 'div' }] },
    bullet_list: { group: 'block', content: 'list_item+', toDOM: () => ['ul', 0], parseDOM: [{ tag: 'ul' }] },
    ordered_list: { group: 'block', content: 'list_item+', toDOM: () => ['ol', 0], parseDOM: [{ tag: 'ol' }] },
    list_item: { content: 'paragraph block*', toDOM: () => ['li', 0], parseDOM: [{ tag: 'li' }], defining: true },
    text: { group: 'inline' },
    hard_break: { inline: true, group: 'inline', selectable: false, toDOM: () => ['br'], parseDOM: [{ tag: 'br' }] },
    variable,
  },
  marks: {
    link: {
      attrs: { href: {} },
      inclusive: false,
      toDOM: (mark) => ['a', { href: String(mark.attrs['href']), rel: 'noopener noreferrer' }, 0],
      parseDOM: [{ tag: 'a[href]', getAttrs: (element) => (isHref(element.getAttribute('href') ?? '') ? { href: element.getAttribute('href') } : false) }],
    },
    strong: { toDOM: () => ['strong', 0], parseDOM: [{ tag: 'strong' }, { tag: 'b', getAttrs: (element) => element.style.fontWeight !== 'normal' && null }, { style: 'font-weight', getAttrs: (value) => /^(bold(er)?|[6-9]\d{2})$/.test(value) && null }] },
    em: { toDOM: () => ['em', 0], parseDOM: [{ tag: 'em' }, { tag: 'i' }, { style: 'font-style=italic' }] },
  },
});

export const SUBJECT = new Schema({ nodes: { doc: { content: 'inline*' }, text: { group: 'inline' }, variable } });

/** Where a link may lead: a page, an address, a number, or where a variable says. */
export function isHref(href: string): boolean {
  return /^(https?:\/\/|mailto:|tel:|\{\{)\S+/i.test(href.trim());
}

/** The message as HTML that every mail reader knows; empty where nothing is written. */
export function htmlOf(doc: Node): string {
  if (isEmpty(doc)) return '';
  const blocks: string[] = [];
  doc.forEach((block) => void blocks.push(blockHtml(block)));
  return blocks.join('\n');
}

export function isEmpty(doc: Node): boolean {
  return doc.textContent.trim() === '' && doc.childCount <= 1;
}

function blockHtml(node: Node): string {
  switch (node.type.name) {
    case 'bullet_list':
      return `<ul>${childrenHtml(node)}</ul>`;
    case 'ordered_list':
      return `<ol>${childrenHtml(node)}</ol>`;
    case 'list_item':
      // One paragraph stands bare: readers put room around paragraphs in lists.
      return `<li>${node.childCount === 1 && node.firstChild ? inlineHtml(node.firstChild) : childrenHtml(node)}</li>`;
    default:
      // A paragraph without anything is a blank line, which readers drop.
      return `<p>${node.childCount === 0 ? '<br>' : inlineHtml(node)}</p>`;
  }
}

function childrenHtml(node: Node): string {
  const parts: string[] = [];
  node.forEach((child) => void parts.push(blockHtml(child)));
  return parts.join('');
}

const TAGS: Readonly<Record<string, string>> = { strong: 'strong', em: 'em', link: 'a' };

function inlineHtml(block: Node): string {
  let [html, open] = ['', [] as readonly Mark[]];
  const closing = (marks: readonly Mark[]) => [...marks].reverse().map((mark) => `</${TAGS[mark.type.name]}>`).join('');
  block.forEach((node) => {
    const shared = node.marks.findIndex((mark, place) => !open[place]?.eq(mark));
    const kept = shared < 0 ? Math.min(node.marks.length, open.length) : shared;
    html += closing(open.slice(kept)) + node.marks.slice(kept).map(opening).join('') + leafHtml(node);
    open = node.marks;
  });
  return html + closing(open);
}

function opening(mark: Mark): string {
  const href = mark.type.name === 'link' ? ` href="${escaped(String(mark.attrs['href'])).replaceAll('"', '&quot;')}"` : '';
  return `<${TAGS[mark.type.name]}${href}>`;
}

function leafHtml(node: Node): string {
  if (node.type.name === 'hard_break') return '<br>';
  // Senders escape fallbacks as they do values.
  if (node.type.name === 'variable') return asWritten(node);
  return escaped(node.text ?? '');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replaceAll('\u00a0', '&nbsp;');
}

function asWritten(node: Node): string {
  const fallback = node.attrs['fallback'] as string | null;
  return written(String(node.attrs['name']), fallback ?? undefined);
}

/** The subject as it is sent. */
export function subjectOf(doc: Node): string {
  return doc.textContent;
}

/** A subject's text as a document: variables as atoms. */
export function subjectDoc(text: string): Node {
  return SUBJECT.node('doc', null, inlineOf(SUBJECT, text.replace(/[\r\n]+/g, ' ')));
}

/** Text as the nodes of a line, variables as atoms. */
export function inlineOf(schema: Schema, text: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  const plain = (to: number) => to > at && nodes.push(schema.text(text.slice(at, to)));
  for (const { name, fallback, start, end } of placeholders(text).found) {
    plain(start);
    nodes.push(schema.node('variable', { name, fallback: fallback ?? null }));
    at = end;
  }
  plain(text.length);
  return nodes;
}

/** HTML in which variables are the atoms that the editor's parser knows: of its text, not of its attributes. */
export function withAtoms(root: ParentNode & globalThis.Node): void {
  const owner = root.ownerDocument ?? document;
  const walker = owner.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    const { found } = placeholders(text.data);
    if (found.length === 0) continue;
    const parts: (string | HTMLElement)[] = [];
    let at = 0;
    for (const { name, fallback, start, end } of found) {
      const atom = owner.createElement('span');
      atom.dataset['variable'] = written(name, fallback);
      atom.textContent = name;
      parts.push(text.data.slice(at, start), atom);
      at = end;
    }
    text.replaceWith(...parts, text.data.slice(at));
  }
}
