import { useState } from 'react';
import type { FormEvent } from 'react';
import { call } from '../../api/client';
import { ApiError } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import type { Role, Token } from '../../api/types';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { RolePicks } from '../members/RolePicks';

export function CreateToken({ onClose, onMade }: { onClose: () => void; onMade: (made: { token: Token; secret: string }) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('ROLE_EDITOR');
  const act = useAct({
    changes: ['tokens'],
    run: () => call('post', '/v1/tokens', { body: { name: name.trim(), role } }),
    onDone: ({ token, secret }) => {
      if (token) onMade({ token, secret });
      onClose();
    },
  });
  const fields = act.error instanceof ApiError ? act.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <Dialog
      title="Create a token"
      onClose={onClose}
      dirty={name !== ''}
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            Back
          </Button>
          <Button kind="primary" type="submit" form="token" busy={act.isPending}>
            Create token
          </Button>
        </>
      }
    >
      <form id="token" noValidate onSubmit={submit} className="grid gap-3.5 px-[22px] pt-3 pb-4.5">
        <Field autoFocus label="What it is for" placeholder="crm-sync" maxLength={100} value={name} onChange={(event) => setName(event.target.value)} error={fields['name'] ?? (act.error ? because(act.error) : undefined)} />
        <RolePicks role={role} onPick={setRole} />
      </form>
    </Dialog>
  );
}
