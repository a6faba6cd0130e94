import { useQuery } from '@tanstack/react-query';
import { attention, overview } from '../../api/queries';

/** How many emails of active campaigns wait in a mailbox, as far as the overview says: of those most used, and of those that stopped. */
export function useWaiting(): (mailboxId: string) => number {
  const { data: counts } = useQuery(overview);
  const { data: stopped } = useQuery(attention);
  return (mailboxId) =>
    counts?.thisHour.find((hour) => hour.mailboxId === mailboxId)?.waiting ?? stopped?.mailboxes.find((each) => each.mailboxId === mailboxId)?.waiting ?? 0;
}
