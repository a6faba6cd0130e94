import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../api/client';
import { identity } from '../../api/queries';
import { because, useAct } from '../../api/useAct';
import { toast } from '../../components/Toasts';
import type { Draft } from '../../compose/draft';

/** The address of who has none with us: the person at the machine. */
const KEPT = 'maillane.testAddress';

/** Sends the message as it is to oneself; asks for an address only where none is known. */
export function useTest(draft: Draft) {
  const { data } = useQuery(identity);
  const [isAsking, setAsking] = useState(false);
  const own = data?.user?.email || localStorage.getItem(KEPT) || '';
  const send = useAct({
    run: async (recipient: string) => {
      const campaignId = await draft.save();
      return call('post', '/v1/campaigns:sendTest', { body: { campaignId, recipient, requestId: crypto.randomUUID() } });
    },
    changes: ['messages', 'overview'],
    onDone: (_, recipient) => {
      if (!data?.user?.email) localStorage.setItem(KEPT, recipient);
      setAsking(false);
      toast({ text: `A test is on its way to ${recipient}`, more: 'It counts against the limit of its mailbox.', mark: 'sending' });
    },
  });
  const run = () => {
    if (!own) return setAsking(true);
    send.mutate(own, { onError: (error) => toast({ text: `No test was sent: ${because(error)}`, failed: true }) });
  };
  return { run, own, isAsking, close: () => setAsking(false), send: (to: string) => send.mutate(to), isBusy: send.isPending, error: send.error ? because(send.error) : undefined };
}

export type Test = ReturnType<typeof useTest>;
