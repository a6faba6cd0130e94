import type { Message } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { counted } from '../../words/number';
import { useResolve } from './useResolve';
import type { Resolution } from './useResolve';

type Decided = Pick<Message, 'id' | 'recipient' | 'recipientName'>;

/** Asks before unconfirmed emails are sent again, or counted as sent. */
export function ResolveDialog({ messages, resolution, onClose }: { messages: readonly Decided[]; resolution: Resolution; onClose: () => void }) {
  const act = useResolve(resolution, onClose);
  const again = resolution === 'RESOLUTION_RESEND';
  const many = counted(messages.length, again ? 'unconfirmed email' : 'email');
  return (
    <Confirm
      title={again ? `Send ${many} again?` : `Count ${many} as sent?`}
      keep="Leave as it is"
      verb={again ? 'Send again' : 'Count as sent'}
      busy={act.isPending}
      onConfirm={() => act.mutate(messages)}
      onClose={onClose}
    >
      {again
        ? `${messages.length === 1 ? 'It' : 'They'} may have arrived already. If so, ${who(messages)} the same email twice.`
        : `We note that you decided it. ${messages.length === 1 ? 'It' : 'They'} will not be sent again.`}
    </Confirm>
  );
}

function who(messages: readonly Decided[]): string {
  const names = messages.slice(0, 2).map((message) => message.recipientName || message.recipient);
  if (messages.length === 1) return `${names[0]} gets`;
  if (messages.length === 2) return `${names.join(' and ')} get`;
  return `${names.join(', ')} and ${messages.length - 2} more get`;
}
