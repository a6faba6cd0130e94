import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import type { Message } from '../../api/types';
import { toast } from '../../components/Toasts';
import { counted } from '../../words/number';

export type Resolution = 'RESOLUTION_RESEND' | 'RESOLUTION_ACCEPT';

/** So many calls at once: one an email, for each is decided by itself. */
const AT_ONCE = 6;

/** Decides about unconfirmed emails. What was decided before a failure stays. */
export function useResolve(resolution: Resolution, onDone: () => void) {
  return useAct({
    changes: ['attention', 'messages', 'message', 'overview', 'campaign', 'unconfirmed'],
    failed: 'Not decided',
    run: async (messages: readonly Pick<Message, 'id'>[]) => {
      for (let from = 0; from < messages.length; from += AT_ONCE) {
        await Promise.all(
          messages.slice(from, from + AT_ONCE).map(({ id }) => call('post', '/v1/messages/{message_id}:resolve', { path: { message_id: id }, body: { resolution } })),
        );
      }
      return messages.length;
    },
    onDone: (decided) => {
      toast(
        resolution === 'RESOLUTION_ACCEPT'
          ? { text: `${counted(decided, 'email')} counted as sent`, mark: 'sent' }
          : { text: `${counted(decided, 'email')} will be sent again`, more: 'Once the first try can no longer succeed, within some 11 minutes', mark: 'scheduled' },
      );
      onDone();
    },
  });
}
