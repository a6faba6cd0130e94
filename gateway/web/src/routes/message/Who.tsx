import type { Message } from '../../api/types';

/** A recipient on one line: the name, then the address in grey; without a name, the address. */
export function Who({ message }: { message: Pick<Message, 'recipient' | 'recipientName'> }) {
  if (!message.recipientName) return <span className="block truncate font-medium">{message.recipient}</span>;
  return (
    <span className="flex min-w-0 items-baseline gap-1.75">
      <strong className="truncate">{message.recipientName}</strong>
      <small className="min-w-16 flex-1 truncate text-12 text-ink-3 narrow:hidden">{message.recipient}</small>
    </span>
  );
}
