import { describe, expect, it } from 'vitest';
import { address } from '../src/api/client';
import { sentence, toError } from '../src/api/error';
import { split } from '../src/api/stream';
import { refusal } from '../src/words/refusal';

const BODY = {
  error: {
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: 'smtp.port must be 25',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BAD' },
      { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'smtp.port', description: 'must be 25' }] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '40s' },
    ],
  },
};

describe('errors of the API', () => {
  it('bring each bad field by its path, the reason, and when to come back', () => {
    const error = toError(400, BODY, '01K9');

    expect([error.fields, error.reason, error.retryAfterS, error.requestId]).toEqual([{ 'smtp.port': 'must be 25' }, 'BAD', 40, '01K9']);
  });

  it.each([null, 'a proxy’s page', {}, { error: { details: 'none' } }])('are errors also where the body is %o', (body) => {
    expect(toError(502, body, '').unreachable).toBe(true);
  });

  it('become sentences', () => {
    expect(sentence('the service does not answer')).toBe('The service does not answer.');
  });
});

describe('addresses of calls', () => {
  it('encode what is put in, and leave out what is not said', () => {
    const path = address('/v1/suppressions/{email}', { path: { email: 'a/b@c.example' }, query: { query: '', state: undefined, n: 3 }, mask: ['name', 'delay'] });

    expect(path).toBe('/v1/suppressions/a%2Fb%40c.example?n=3&updateMask=name%2Cdelay');
  });
});

describe('server-sent events', () => {
  it('are whole ones; the rest waits for more, and comments are none', () => {
    const [events, rest] = split(': heartbeat\n\ndata: {"a":1}\n\nevent: error\ndata: {}\n\ndata: {"b"');

    expect(events).toEqual([
      { name: '', data: '{"a":1}' },
      { name: 'error', data: '{}' },
    ]);
    expect(rest).toBe('data: {"b"');
  });
});

describe('refused sign-ins', () => {
  it.each(['expired', 'forged', 'not_a_member', 'domain', 'unverified', 'provider_down', 'limited', 'refused', 'unavailable'])('%s says what to do', (reason) => {
    const [title, text] = refusal(reason, { provider: 'Google' });

    expect(title).not.toBe('The sign-in did not work.');
    expect(text).toMatch(/\.$/);
  });
});
