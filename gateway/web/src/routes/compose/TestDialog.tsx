import { useState } from 'react';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import type { Test } from './useTest';

export function TestDialog({ test }: { test: Test }) {
  const [to, setTo] = useState(test.own);
  return (
    <Dialog
      title="Where to?"
      onClose={test.close}
      dirty={to !== test.own}
      buttons={
        <>
          <Button kind="quiet" onClick={test.close}>
            Back
          </Button>
          <Button kind="primary" busy={test.isBusy} disabled={!to.includes('@')} onClick={() => test.send(to.trim())}>
            Send test
          </Button>
        </>
      }
    >
      <div className="px-[22px] pt-2 pb-[18px]">
        <Field label="Your address" type="email" autoFocus autoComplete="email" value={to} error={test.error} hint="We remember it in this browser." onChange={(event) => setTo(event.target.value)} onKeyDown={(event) => event.key === 'Enter' && to.includes('@') && test.send(to.trim())} />
      </div>
    </Dialog>
  );
}
