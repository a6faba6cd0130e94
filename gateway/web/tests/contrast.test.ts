import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const CSS = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');

function tokens(selector: string): Map<string, string> {
  const body = CSS.slice(CSS.indexOf(`${selector} {`)).split('\n}')[0] ?? '';
  return new Map([...body.matchAll(/--color-([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [name, value]));
}

const LIGHT = tokens(':root');
const DARK = new Map([...LIGHT, ...tokens('.dark')]);

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((from) => Number.parseInt(hex.slice(from, from + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const SURFACES = ['paper', 'desk', 'hover', 'select', 'raised'];
const FAMILIES = ['mail', 'park', 'fail', 'unsure', 'pass'];
const TEXT: [string, string, number][] = [
  ...['ink', 'ink-2', 'ink-3', ...FAMILIES.map((family) => `${family}-ink`)].flatMap((text) => SURFACES.map((surface): [string, string, number] => [text, surface, 4.5])),
  ...['ink', 'ink-2', 'ink-3'].map((text): [string, string, number] => [text, 'press', 4.5]),
  ...FAMILIES.map((family): [string, string, number] => [`${family}-ink`, family === 'mail' ? 'mail-50' : `${family}-bg`, 4.5]),
  ['on-ink', 'ink', 4.5],
  ['letter', 'danger', 4.5],
  ['face-ink', 'face', 4.5],
  ['letter-ink', 'letter', 4.5],
];
const MARKS: [string, string, number][] = [...FAMILIES, 'line-3'].flatMap((fill) => ['paper', 'desk'].map((surface): [string, string, number] => [fill, surface, 3]));
const PAIRS = [...TEXT, ...MARKS];

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s theme', (_, theme) => {
  it.each(PAIRS)('%s on %s is at least %d:1', (text, surface, least) => {
    expect(contrast(theme.get(text) ?? '', theme.get(surface) ?? '')).toBeGreaterThanOrEqual(least);
  });
});

it('covers at least 60 pairs a theme', () => {
  expect(PAIRS.length).toBeGreaterThanOrEqual(60);
});
