import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { campaigns as campaignsQuery, mailboxes } from '../../api/queries';
import { useInfiniteQuery } from '@tanstack/react-query';
import { FilterPill } from '../../components/Pill';
import { short } from '../../words/number';

/** Campaign and mailbox, as filters in the address. */
export function Filters() {
  const [search, setSearch] = useSearchParams();
  const { data: boxes = [] } = useQuery(mailboxes);
  const { data: pages } = useInfiniteQuery(campaignsQuery({}));
  const set = (name: string) => (value: string) => setSearch((before) => (value ? before.set(name, value) : before.delete(name), before.delete('message'), before), { replace: true });
  return (
    <>
      <FilterPill
        name="Campaign"
        value={search.get('campaign') ?? ''}
        onPick={set('campaign')}
        options={(pages?.pages ?? []).flatMap((page) => page.campaigns).map((campaign) => ({ value: campaign.id, text: campaign.name || 'Without a name' }))}
      />
      <FilterPill name="Mailbox" value={search.get('mailbox') ?? ''} onPick={set('mailbox')} options={boxes.map(({ id, address }) => ({ value: id, text: short(address) }))} />
    </>
  );
}

/** The filters of the address, as the API takes them. */
export function useFilter() {
  const [search] = useSearchParams();
  return {
    campaignId: search.get('campaign') ?? undefined,
    mailboxId: search.get('mailbox') ?? undefined,
    query: search.get('q') ?? undefined,
  };
}

/** The address of the CSV with the same filters. */
export function exportPath(filter: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `/v1/messages:export?${new URLSearchParams(given).toString()}`;
}
