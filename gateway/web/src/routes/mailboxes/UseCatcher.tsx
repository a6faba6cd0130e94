import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import type { Catcher, Mailbox } from '../../api/types';
import { Button } from '../../components/Button';
import { toast } from '../../components/Toasts';
import { caughtBy } from './presets';

/** Connects the catcher as a mailbox: one click, and there is one to send from. */
export function UseCatcher({ catcher, size, onDone }: { catcher: Catcher; size?: 'small'; onDone?: (mailbox: Mailbox) => void }) {
  const use = useAct<void, Mailbox>({
    changes: ['mailboxes', 'usage', 'overview'],
    failed: 'Not connected',
    run: () => call('post', '/v1/mailboxes', { body: caughtBy(catcher) }),
    onDone: (mailbox) => {
      toast({ text: 'The catcher is connected. What it takes goes nowhere', mark: 'pass' });
      onDone?.(mailbox);
    },
  });
  return (
    <Button {...(size ? { size } : {})} busy={use.isPending} onClick={() => use.mutate()}>
      Use the catcher
    </Button>
  );
}
