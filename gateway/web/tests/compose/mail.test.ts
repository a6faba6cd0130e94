import { expect, it } from 'vitest';
import { htmlOf, isHref, MESSAGE, subjectDoc, subjectOf } from '../../src/compose/mail';

const { nodes, marks } = MESSAGE;
const p = (...content: Parameters<typeof nodes.paragraph.create>[1][]) => nodes.paragraph.create(null, content.flat() as never);
const variable = (name: string, fallback: string | null = null) => nodes.variable.create({ name, fallback });
const doc = (...blocks: ReturnType<typeof p>[]) => nodes.doc.create(null, blocks);

it('writes plain HTML, lists without paragraphs in them, nothing inline twice', () => {
  const strong = marks.strong.create();
  const link = marks.link.create({ href: 'https://x.example/?a=1&b="2"' });
  const list = nodes.bullet_list.create(null, [nodes.list_item.create(null, p(MESSAGE.text('one'))), nodes.list_item.create(null, p(MESSAGE.text('two')))]);
  const text = p(MESSAGE.text('a ', [strong]), MESSAGE.text('b', [link, strong]), MESSAGE.text(' c'), nodes.hard_break.create());

  expect(htmlOf(doc(text, list))).toBe(
    '<p><strong>a </strong><a href="https://x.example/?a=1&amp;b=&quot;2&quot;"><strong>b</strong></a> c<br></p>\n<ul><li>one</li><li>two</li></ul>',
  );
});

it('escapes what is text, and not fallbacks, which senders escape as they do values', () => {
  expect(htmlOf(doc(p(MESSAGE.text('5 < 6 & '), variable('first_name', 'a & b'), variable('x'))))).toBe('<p>5 &lt; 6 &amp; {{first_name|a & b}}{{x}}</p>');
});

it('is nothing where nothing is written, and keeps blank lines between', () => {
  expect(htmlOf(doc(p()))).toBe('');
  expect(htmlOf(doc(p(MESSAGE.text('a')), p(), p(MESSAGE.text('b'))))).toBe('<p>a</p>\n<p><br></p>\n<p>b</p>');
});

it('reads a subject and writes the same', () => {
  const text = '{{first_name|there}}, 30 minutes {{x}}';

  expect(subjectDoc(text).childCount).toBe(3);
  expect(subjectOf(subjectDoc(text))).toBe(text);
});

it('lets links lead to pages, addresses and numbers, and to no script', () => {
  expect(['https://x.example', 'mailto:a@b', 'tel:+1', '{{link}}'].every(isHref)).toBe(true);
  expect(['javascript:alert(1)', 'data:text/html,x', 'x.example', ''].some(isHref)).toBe(false);
});
