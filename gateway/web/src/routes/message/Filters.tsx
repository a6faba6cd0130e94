import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { campaigns as campaignsQuery, mailboxes } from '../../api/queries';
import { classes } from '../../components/classes';
import { Icon } from '../../components/Icon';
import { FilterPill } from '../../components/Pill';
import { SearchField } from '../../components/SearchField';
import { short } from '../../words/number';

/** Tabs at the left; campaign and mailbox, as filters in the address, at the right where a drawer leaves them room. */
export function FilterBar({ narrow, children, more }: { narrow: boolean; children?: ReactNode; more?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-2 px-gutter pb-2.5 phone:flex-nowrap phone:overflow-x-auto phone:[scrollbar-width:none]">
      <div className="max-w-full flex-none phone:max-w-none">{children}</div>
      <span className="flex-1" />
      <div className="flex flex-none gap-2">
        {more}
        {!narrow && <Filters />}
      </div>
    </div>
  );
}

function Filters() {
  const [search] = useSearchParams();
  const set = useFilterSetter();
  const { data: boxes = [] } = useQuery(mailboxes);
  const { data: pages } = useInfiniteQuery(campaignsQuery({}));
  return (
    <>
      <FilterPill
        name="Campaign"
        value={search.get('campaign') ?? ''}
        onPick={(value) => set('campaign', value)}
        options={(pages?.pages ?? []).flatMap((page) => page.campaigns).map((campaign) => ({ value: campaign.id, text: campaign.name || 'Without a name' }))}
      />
      <FilterPill name="Mailbox" value={search.get('mailbox') ?? ''} onPick={(value) => set('mailbox', value)} options={boxes.map(({ id, address }) => ({ value: id, text: short(address) }))} />
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

/** Sets one filter in the address, or takes it out; what was open is closed, for it may not be in the list any more. */
export function useFilterSetter() {
  const [, setSearch] = useSearchParams();
  return (name: string, value: string) =>
    setSearch((before) => (value ? before.set(name, value) : before.delete(name), before.delete('message'), before), { replace: true });
}

/** Finds recipients in the list. */
export function Find({ narrow = false }: { narrow?: boolean }) {
  const [search] = useSearchParams();
  const set = useFilterSetter();
  return <SearchField label="Recipient" value={search.get('q') ?? ''} onSearch={(text) => set('q', text)} className={narrow ? 'w-[180px]!' : undefined} />;
}

/** The list as a CSV, with the same filters. */
export function ExportLink({ filter, square }: { filter: Readonly<Record<string, string | undefined>>; square: boolean }) {
  return (
    <a
      href={exportPath(filter)}
      download
      aria-label="Export CSV"
      title="Export CSV"
      className={classes('inline-flex h-control flex-none items-center justify-center gap-1.75 rounded-2 border border-line-2 bg-paper font-medium shadow-1 hover:bg-hover phone:w-control phone:px-0', square ? 'w-control' : 'px-3')}
    >
      <Icon of={Download} className="text-ink-2" />
      {!square && <span className="phone:hidden">Export CSV</span>}
    </a>
  );
}

export function exportPath(filter: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `/v1/messages:export?${new URLSearchParams(given).toString()}`;
}

/** Where a tab leads: the same filters, and its own. */
export function tabPath(search: URLSearchParams, name: string, value: string): string {
  const next = new URLSearchParams(search);
  next.delete('message');
  if (value) next.set(name, value);
  else next.delete(name);
  return `?${next.toString()}`;
}
