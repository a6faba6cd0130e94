import { expect, it } from 'vitest';
import { textOf } from '../../src/compose/htmlText';

it('keeps paragraphs apart by a blank line, and breaks where the mail breaks', () => {
  expect(textOf('<p>Hi {{first_name|there}},</p><p>one<br>two</p>')).toBe('Hi {{first_name|there}},\n\none\ntwo');
});

it('writes lists with dashes and numbers, and text after them apart', () => {
  expect(textOf('<p>We show:</p><ul><li><p>how</p></li><li><p>what</p></li></ul><ol><li>first</li><li>second</li></ol><p>Mira</p>')).toBe(
    'We show:\n\n- how\n- what\n\n1. first\n2. second\n\nMira',
  );
});

it('writes the address of a link behind its words, once where they are the same', () => {
  expect(textOf('<p><a href="https://x.example/?a=1&amp;b=2">Save my seat</a>, <a href="https://y.example">https://y.example</a></p>')).toBe(
    'Save my seat (https://x.example/?a=1&b=2), https://y.example',
  );
});

it('reads entities, and neither comments nor sheets', () => {
  expect(textOf('<style>p{color:red}</style><!-- no --><p>5 &lt; 6 &amp; 7&nbsp;€ &#8211; &#x41;</p>')).toBe('5 < 6 & 7 € – A');
});

it('stays quick and whole on broken HTML', () => {
  expect(textOf('a < b <p>c <a href="x">d')).toBe('a < b\n\nc d');
  expect(textOf('<'.repeat(20_000)).length).toBe(20_000);
});
