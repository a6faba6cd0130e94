import { useState } from 'react';
import type { FormEvent } from 'react';
import { call } from '../../api/client';
import { ApiError } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import type { Role } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { toast } from '../../components/Toasts';
import { RolePicks } from './RolePicks';

/** Whoever signs in with the address is a member. No email is sent: tell them. */
export function Invite({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('ROLE_EDITOR');
  const act = useAct({
    changes: ['invitations'],
    run: () => call('post', '/v1/invitations', { body: { email: email.trim(), role } }),
    onDone: () => (toast({ text: `${email.trim()} may sign in now`, more: `Tell them: ${location.host}` }), onClose()),
  });
  const fields = act.error instanceof ApiError ? act.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Dialog
      title="Invite somebody"
      onClose={onClose}
      dirty={email !== ''}
      aside="No email is sent: tell them."
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            Back
          </Button>
          <Button kind="primary" type="submit" form="invite" busy={act.isPending}>
            Invite
          </Button>
        </>
      }
    >
      <form id="invite" noValidate onSubmit={submit} className="grid gap-3.5 px-[22px] pt-3 pb-4.5">
        <Field autoFocus label="Address" type="email" value={email} onChange={(event) => setEmail(event.target.value)} hint="The one that they sign in with." error={fields['email'] ?? (act.error ? because(act.error) : undefined)} />
        <RolePicks role={role} onPick={setRole} />
      </form>
    </Dialog>
  );
}
