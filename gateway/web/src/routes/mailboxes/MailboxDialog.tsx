import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { call } from '../../api/client';
import { ApiError, sentence } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import type { Catcher, Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field, Picks, SelectField } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Note } from '../../components/Note';
import { toast } from '../../components/Toasts';
import { More } from './More';
import { PRESETS, SECURITIES } from './presets';
import type { Preset } from './presets';
import { maskOf, toMailbox, toSmtp, useMailboxForm } from './useMailboxForm';
import { VerifyResult } from './VerifyResult';

/** Adds a mailbox or changes one; Verify connects as a campaign would, and says which step failed. */
export function MailboxDialog({ mailbox, catcher, now, onClose }: { mailbox: Mailbox | undefined; catcher: Catcher | undefined; now: Date; onClose: () => void }) {
  const { form, set, pick, touched } = useMailboxForm(mailbox, catcher);
  const [shown, setShown] = useState(false);
  const [server, setServer] = useState(form.preset === 'other');
  const [more, setMore] = useState(mailbox?.learnedConnections !== undefined || mailbox?.dkim !== undefined);
  const preset = PRESETS[form.preset];
  const save = useAct({
    changes: ['mailboxes', 'overview', 'usage', 'attention'],
    run: () =>
      mailbox
        ? call('patch', '/v1/mailboxes/{mailbox_id}', { path: { mailbox_id: mailbox.id }, body: toMailbox(form), mask: maskOf(form) })
        : call('post', '/v1/mailboxes', { body: toMailbox(form) }),
    onDone: ({ address }) => (toast({ text: mailbox ? `${address} was saved` : `${address} was added` }), onClose()),
  });
  const asked = { ...toSmtp(form), password: form.password, ...(mailbox ? { mailboxId: mailbox.id } : {}) };
  const verify = useAct({ changes: [], run: (body: typeof asked) => call('post', '/v1/mailboxes:verify', { body }) });
  // Of another server or password nothing is known yet.
  const found = JSON.stringify(verify.variables) === JSON.stringify(asked) ? verify.data : undefined;
  const refused = save.error instanceof ApiError ? save.error : verify.error instanceof ApiError ? verify.error : undefined;
  const fieldError = (name: string) => {
    const said = refused?.fields[name] ?? refused?.fields[`mailbox.${name}`] ?? refused?.fields[name.replace('smtp.', '')];
    return said && sentence(said);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    verify.mutate(asked);
  };
  const verified = found?.verified === true;
  return (
    <Dialog
      wide
      title={mailbox ? `Edit ${mailbox.address}` : 'Add a mailbox'}
      onClose={onClose}
      dirty={touched}
      aside="Verify sends no email."
      buttons={
        <>
          <Button kind={verified ? 'primary' : 'quiet'} busy={save.isPending} onClick={() => save.mutate()}>
            {verified ? (mailbox ? 'Save' : 'Add mailbox') : 'Save without verifying'}
          </Button>
          <Button kind={verified ? 'default' : 'primary'} type="submit" form="mailbox" busy={verify.isPending}>
            {found ? 'Verify again' : 'Verify'}
          </Button>
        </>
      }
    >
      <div className="mt-3 grid grid-cols-[1.12fr_1fr] border-t border-line phone:grid-cols-1">
        <form id="mailbox" onSubmit={submit} noValidate className="grid content-start gap-3.5 px-[22px] pt-4.5 pb-5">
          <Picks<Preset>
            label="Provider"
            value={form.preset}
            of={(Object.keys(PRESETS) as Preset[]).filter((key) => key !== 'catcher' || catcher).map((key) => ({ key, text: PRESETS[key].text }))}
            onPick={(key) => (pick(key), setServer(key === 'other'))}
          />
          <Field label="Address" type="email" autoComplete="off" value={form.address} onChange={(event) => set({ address: event.target.value })} error={fieldError('address')} />
          <Field label="Name that recipients see" autoComplete="off" value={form.displayName} onChange={(event) => set({ displayName: event.target.value })} error={fieldError('displayName')} />
          <Field
            label={preset.password}
            type={shown ? 'text' : 'password'}
            data-first={mailbox?.stop?.reason === 'STOP_REASON_PASSWORD_REFUSED' || undefined}
            autoComplete="new-password"
            value={form.password}
            placeholder={mailbox?.smtp?.hasPassword ? 'Kept as it is' : ''}
            onChange={(event) => set({ password: event.target.value })}
            error={fieldError('smtp.password') ?? (found?.failedStep === 'STEP_AUTH' && !verify.isPending ? preset.refused : undefined)}
            hint={preset.hint}
            unit={
              <button type="button" aria-label={shown ? 'Hide' : 'Show'} onClick={() => setShown(!shown)} className="grid size-6 place-items-center">
                <Icon of={shown ? EyeOff : Eye} />
              </button>
            }
          />
          <div className="grid grid-cols-3 gap-2.5">
            <Field label="Limit an hour" inputMode="numeric" value={form.hourly} onChange={(event) => set({ hourly: event.target.value })} error={fieldError('hourlyLimit')} />
            <Field label="Limit a day" inputMode="numeric" value={form.daily} placeholder="None" onChange={(event) => set({ daily: event.target.value })} error={fieldError('dailyLimit')} />
            <Field label="Apart, at least" inputMode="decimal" unit="s" value={form.gap} onChange={(event) => set({ gap: event.target.value })} error={fieldError('minGap')} />
          </div>
          {server ? (
            <div className="grid grid-cols-[minmax(0,1fr)_64px_140px] gap-2.5">
              <Field label="Server" autoComplete="off" value={form.host} onChange={(event) => set({ host: event.target.value })} error={fieldError('smtp.host')} />
              <Field label="Port" inputMode="numeric" value={form.port} onChange={(event) => set({ port: event.target.value })} error={fieldError('smtp.port')} />
              <SelectField label="Encryption" value={form.security} onChange={(event) => set({ security: event.target.value as never })} error={fieldError('smtp.security')}>
                {Object.entries(SECURITIES).map(([key, text]) => (
                  <option key={key} value={key}>
                    {text}
                  </option>
                ))}
              </SelectField>
              <Field className="col-span-3" label="Name to sign in with" autoComplete="off" placeholder="The address" value={form.username} onChange={(event) => set({ username: event.target.value })} error={fieldError('smtp.username')} />
            </div>
          ) : (
            <p className="text-12 text-ink-3">
              {form.host}, port {form.port}, {SECURITIES[form.security]}.{' '}
              <button type="button" className="link" onClick={() => setServer(true)}>
                Change
              </button>
            </p>
          )}
          {more ? (
            <More form={form} mailbox={mailbox} now={now} fieldError={fieldError} set={set} />
          ) : (
            <span>
              <button type="button" className="link text-12" onClick={() => setMore(true)}>
                Connections and signing
              </button>
            </span>
          )}
          {refused && Object.keys(refused.fields).length === 0 && (
            <Note tone="fail">
              <b>{save.error ? 'Not saved.' : 'Not verified.'}</b> {because(refused)}
            </Note>
          )}
        </form>
        <VerifyResult result={found} busy={verify.isPending} onUse={(port, security) => set({ port: String(port), security: security as never })} />
      </div>
    </Dialog>
  );
}
