import { describe, expect, it } from 'vitest';
import { agreed, asFallback, fallbackOf, neededIn, placeholders, usedIn, withFallback } from '../../src/compose/template';

describe('the grammar of variables', () => {
  it('finds names with and without fallbacks, whatever blanks stand inside', () => {
    const { found, wrongAt } = placeholders('Hi {{ first_name | there }}, {{company}}{{x|}}');

    expect(found.map(({ name, fallback }) => [name, fallback])).toEqual([['first_name', 'there'], ['company', undefined], ['x', '']]);
    expect(wrongAt).toBeUndefined();
  });

  it('says where two braces begin no variable', () => {
    expect(placeholders('a {{ok}} {{first name}}').wrongAt).toBe(9);
    expect(placeholders('{{').wrongAt).toBe(0);
    expect(placeholders(`{{a|${'x'.repeat(201)}}}`).wrongAt).toBe(0);
  });

  it('needs what stands bare somewhere, and never the link that ends mail', () => {
    expect(neededIn('{{a|x}} {{b}}', '{{a}} {{unsubscribe_url}}')).toEqual(['b', 'a']);
    expect(usedIn('{{a|x}}', '{{b}} {{a}}')).toEqual(['a', 'b']);
  });

  it('puts a fallback wherever a name stands, and takes it away again', () => {
    const text = 'Hi {{a}}, {{b|two}}, {{a|old}}';

    expect(withFallback(text, 'a', 'new')).toBe('Hi {{a|new}}, {{b|two}}, {{a|new}}');
    expect(withFallback(text, 'a', '')).toBe('Hi {{a}}, {{b|two}}, {{a}}');
    expect(fallbackOf('a', text)).toBe('old');
  });

  it('keeps out of a fallback what would end it', () => {
    expect(asFallback('you}} {{x|y\nz')).toBe('you xy z');
  });

  it('has one fallback for a name, the one that was written last', () => {
    const before = { subject: '{{a}}', html: 'Hi {{a|x}} {{b|old}}' };

    expect(agreed(before, { ...before, html: 'Hi {{a|y}} {{b|old}} {{b}}' })).toEqual({ subject: '{{a|y}}', html: 'Hi {{a|y}} {{b|old}} {{b}}' });
    expect(agreed(before, { ...before, subject: '{{a}}!' })).toEqual({ subject: '{{a}}!', html: 'Hi {{a|x}} {{b|old}}' });
  });
});
