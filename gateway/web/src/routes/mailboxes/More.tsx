import { useState } from 'react';
import type { Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { Field, Hint, Label } from '../../components/Field';
import { learnedWords } from '../../words/mailbox';
import { UNSIGNED } from './useMailboxForm';
import type { MailboxForm } from './useMailboxForm';

interface MoreProps {
  form: MailboxForm;
  mailbox: Mailbox | undefined;
  now: Date;
  fieldError: (name: string) => string | undefined;
  set: (change: Partial<MailboxForm>) => void;
}

/** What few change: how many connections its server may have, and by which key its messages are signed. */
export function More({ form, mailbox, now, fieldError, set }: MoreProps) {
  const { dkim } = form;
  const [isSigning, setSigning] = useState(dkim !== UNSIGNED);
  const sign = (change: Partial<MailboxForm['dkim']>) => set({ dkim: { ...dkim, ...change } });
  const domain = dkim.domain.trim() || form.address.split('@')[1] || 'example.com';
  const keyError = fieldError('dkim.privateKey');
  return (
    <>
      <Field
        label="Connections at once"
        inputMode="numeric"
        unit="of 50 at most"
        value={form.connections}
        onChange={(event) => set({ connections: event.target.value })}
        error={fieldError('maxConnections')}
        hint={(mailbox && learnedWords(mailbox, now)) || 'A server that has too many gets fewer by itself.'}
      />
      {isSigning ? (
        <fieldset className="grid gap-3 rounded-2 border border-line px-3 pt-2 pb-3">
          <legend className="px-1 text-12 font-medium text-ink-2">Signed with DKIM</legend>
          <div className="grid grid-cols-2 gap-2.5">
            <Field label="Domain" autoComplete="off" placeholder={form.address.split('@')[1]} value={dkim.domain} onChange={(event) => sign({ domain: event.target.value })} error={fieldError('dkim.domain')} />
            <Field label="Selector" autoComplete="off" placeholder="mail" value={dkim.selector} onChange={(event) => sign({ selector: event.target.value })} error={fieldError('dkim.selector')} />
          </div>
          <div>
            <Label of="dkim-key">Private key</Label>
            <textarea
              id="dkim-key"
              rows={3}
              spellCheck={false}
              autoComplete="off"
              aria-describedby="dkim-key-about"
              aria-invalid={keyError ? true : undefined}
              placeholder={mailbox?.dkim?.hasPrivateKey ? 'Kept as it is' : '-----BEGIN PRIVATE KEY-----'}
              value={dkim.privateKey}
              onChange={(event) => sign({ privateKey: event.target.value })}
              className="block w-full resize-y rounded-2 border border-line-2 bg-paper px-2.5 py-2 font-mono text-11 outline-none focus:border-mail focus:ring-3 focus:ring-mail-100 aria-invalid:border-fail phone:text-16"
            />
            <Hint id="dkim-key-about" error={keyError} hint={`PEM, RSA or Ed25519. It is sealed and never shown again. Its public half stands in DNS at ${dkim.selector.trim() || 'selector'}._domainkey.${domain}.`} />
          </div>
          <span>
            <Button size="small" onClick={() => (set({ dkim: UNSIGNED }), setSigning(false))}>
              Do not sign
            </Button>
          </span>
        </fieldset>
      ) : (
        <p className="text-12 text-ink-3">
          Maillane does not sign its messages; most providers do.{' '}
          <button type="button" className="link" onClick={() => setSigning(true)}>
            Sign with DKIM
          </button>
        </p>
      )}
    </>
  );
}
