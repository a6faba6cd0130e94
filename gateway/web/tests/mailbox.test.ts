import { describe, expect, it } from 'vitest';
import type { Catcher, Mailbox } from '../src/api/types';
import { caughtBy, isCaught, presetOf } from '../src/routes/mailboxes/presets';
import { maskOf, toMailbox, UNSIGNED } from '../src/routes/mailboxes/useMailboxForm';
import type { MailboxForm } from '../src/routes/mailboxes/useMailboxForm';
import { connectionWords, learnedWords } from '../src/words/mailbox';

const NOW = new Date('2026-11-24T14:38:00Z');
const CATCHER = { host: '127.0.0.1', port: 1025, url: 'http://127.0.0.1:8025' } as Catcher;
const FORM: MailboxForm = {
  preset: 'other',
  address: ' sales@tidewell.example ',
  displayName: 'Sales',
  username: '',
  password: '',
  host: 'smtp.tidewell.example',
  port: '465',
  security: 'SECURITY_TLS',
  hourly: '50',
  daily: '',
  gap: '30',
  connections: '3',
  dkim: UNSIGNED,
};

describe('a mailbox that is saved', () => {
  it('names no secret that was not typed', () => {
    const form = { ...FORM, dkim: { domain: 'tidewell.example', selector: 'mail', privateKey: '' } };

    expect(maskOf(form)).toEqual(expect.arrayContaining(['dkim.domain', 'dkim.selector']));
    expect(maskOf(form)).not.toEqual(expect.arrayContaining(['smtp.password']));
    expect(maskOf(form)).not.toEqual(expect.arrayContaining(['dkim.privateKey']));
    expect(toMailbox(form).dkim).toEqual({ domain: 'tidewell.example', selector: 'mail' });
  });

  it('sends a key that was typed', () => {
    const form = { ...FORM, dkim: { domain: 'tidewell.example', selector: 'mail', privateKey: ' PEM ' } };

    expect(maskOf(form)).toContain('dkim.privateKey');
    expect(toMailbox(form).dkim).toMatchObject({ privateKey: 'PEM' });
  });

  it('is signed no more once its signing is emptied', () => {
    expect(maskOf(FORM)).toContain('dkim');
    expect(toMailbox(FORM).dkim).toBeUndefined();
  });

  it('has its connections and no daily limit where none is written', () => {
    expect(toMailbox(FORM)).toMatchObject({ address: 'sales@tidewell.example', maxConnections: 3, dailyLimit: undefined, minGap: '30s' });
  });
});

describe('the catcher', () => {
  it('is known by its server', () => {
    expect(isCaught(caughtBy(CATCHER) as unknown as Mailbox, CATCHER)).toBe(true);
    expect(isCaught({ smtp: { host: '127.0.0.1', port: 2525 } } as Mailbox, CATCHER)).toBe(false);
    expect(isCaught({ smtp: { host: '127.0.0.1', port: 1025 } } as Mailbox, undefined)).toBe(false);
  });

  it('is no preset of a provider', () => {
    expect(presetOf('smtp.office365.com')).toBe('outlook');
    expect(presetOf('127.0.0.1')).toBe('other');
  });
});

describe('connections in words', () => {
  it('say what was learned of the server, and when', () => {
    const learned = { maxConnections: 5, learnedConnections: 2, learnTime: '2026-11-23T09:00:00Z' };

    expect(connectionWords(learned)).toBe('2 of 5 connections');
    expect(learnedWords(learned, NOW)).toMatch(/^Its server refused more than 2 at once, yesterday \d\d:00\. One more/);
  });

  it('say only the limit where nothing was learned', () => {
    expect(connectionWords({ maxConnections: 1, learnedConnections: undefined, learnTime: undefined } as never)).toBe('1 connection');
    expect(learnedWords({} as never, NOW)).toBe('');
  });
});
