/** What screens read, by name: one place for keys, so that a change knows what to ask anew. */

import { infiniteQueryOptions, keepPreviousData, queryOptions, QueryClient } from '@tanstack/react-query';
import type { InfiniteData } from '@tanstack/react-query';
import { call } from './client';
import { ApiError } from './error';
import type { Campaign, CampaignState, Catcher, LaneState, Mailbox, MessageState } from './types';

/** Rows a page: a screen shows some 20, and the next page is asked for before they end. */
const PAGE = 100;
/** The most that is read of what a workspace has few of: mailboxes, tokens, members. */
const MOST_PAGES = 10;

/** A list with more pages is not asked anew by itself, for each of them is a call: it would read thousands of rows each few seconds. */
const MOST_LIVE_PAGES = 3;

/** Whether somebody went far down a list. */
export function isDeep(query: { state: { data?: unknown } }): boolean {
  const { pages } = (query.state.data ?? {}) as { pages?: unknown[] };
  return (pages?.length ?? 0) > MOST_LIVE_PAGES;
}

/** A list as somebody finds it who comes back to it. */
export function firstPage<T, P>(data: InfiniteData<T, P> | undefined): InfiniteData<T, P> | undefined {
  return data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) };
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What the server refused it will refuse again.
      retry: (failures, error) => error instanceof ApiError && error.unreachable && failures < 2,
      refetchOnWindowFocus: (query) => !isDeep(query),
    },
    mutations: { retry: false },
  },
});

export const identity = queryOptions({
  queryKey: ['identity'],
  queryFn: ({ signal }) => call('get', '/v1/identity', { signal }),
  staleTime: 60_000,
});

export const overview = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => call('get', '/v1/overview', { signal }),
  // The stream keeps it.
  staleTime: Number.POSITIVE_INFINITY,
});

export const mailboxes = queryOptions({
  queryKey: ['mailboxes'],
  queryFn: ({ signal }): Promise<Mailbox[]> =>
    all(async (pageToken) => {
      const page = await call('get', '/v1/mailboxes', { query: { pageSize: 200, pageToken }, signal });
      return [page.mailboxes, page.nextPageToken];
    }),
});

/** The deployment's mail server that delivers nothing; null: it has none. */
export const catcher = queryOptions({
  queryKey: ['catcher'],
  queryFn: async ({ signal }): Promise<Catcher | null> => (await call('get', '/v1/mailboxes', { query: { pageSize: 1 }, signal })).catcher ?? null,
  staleTime: Number.POSITIVE_INFINITY,
});

export interface CampaignFilter {
  state?: CampaignState | undefined;
  query?: string | undefined;
}

export const campaigns = ({ state, query }: CampaignFilter) =>
  infiniteQueryOptions({
    queryKey: ['campaigns', { state, query }],
    queryFn: ({ pageParam, signal }) =>
      call('get', '/v1/campaigns', { query: { pageSize: PAGE, pageToken: pageParam, state, query }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const campaign = (id: string) =>
  queryOptions({
    queryKey: ['campaign', id],
    queryFn: ({ signal }): Promise<Campaign> => call('get', '/v1/campaigns/{campaign_id}', { path: { campaign_id: id }, signal }),
  });

export const forecast = (campaignId: string) =>
  queryOptions({
    queryKey: ['forecast', campaignId],
    queryFn: ({ signal }) => call('post', '/v1/campaigns:forecast', { body: { campaignId }, signal }),
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });

export const usage = (filter: { campaignId?: string; mailboxId?: string; startTime?: string; endTime?: string }) =>
  queryOptions({
    queryKey: ['usage', filter],
    queryFn: ({ signal }) => call('get', '/v1/usage', { query: filter, signal }),
    staleTime: 5000,
    placeholderData: keepPreviousData,
  });

export interface MessageFilter {
  order: 'MESSAGE_ORDER_CAMPAIGN' | 'MESSAGE_ORDER_LEAVING' | 'MESSAGE_ORDER_LATEST';
  campaignId?: string | undefined;
  mailboxId?: string | undefined;
  state?: MessageState | undefined;
  query?: string | undefined;
  laneState?: LaneState | undefined;
  startTime?: string | undefined;
}

export const messages = (filter: MessageFilter) =>
  infiniteQueryOptions({
    queryKey: ['messages', filter],
    queryFn: ({ pageParam, signal }) => call('get', '/v1/messages', { query: { ...filter, pageSize: PAGE, pageToken: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

/** The newest outcomes since an instant, for the lanes: one page, the newest first. */
export const latest = (startTime: string, campaignId?: string) =>
  queryOptions({
    queryKey: ['messages', 'latest', startTime, campaignId],
    queryFn: ({ signal }) =>
      call('get', '/v1/messages', { query: { order: 'MESSAGE_ORDER_LATEST', startTime, campaignId, pageSize: 200 }, signal }),
    placeholderData: keepPreviousData,
  });

export const message = (id: string) =>
  queryOptions({
    queryKey: ['message', id],
    queryFn: ({ signal }) => call('get', '/v1/messages/{message_id}', { path: { message_id: id }, signal }),
    placeholderData: keepPreviousData,
  });

export const preview = (campaignId: string, messageId: string) =>
  queryOptions({
    queryKey: ['preview', campaignId, messageId],
    queryFn: ({ signal }) => call('post', '/v1/campaigns:preview', { body: { campaignId, messageId }, signal }),
    staleTime: 60_000,
  });

export const attention = queryOptions({
  queryKey: ['attention'],
  queryFn: ({ signal }) => call('get', '/v1/attention', { signal }),
});

export const suppressions = (query: string, reason: string) =>
  infiniteQueryOptions({
    queryKey: ['suppressions', query, reason],
    queryFn: ({ pageParam, signal }) =>
      call('get', '/v1/suppressions', { query: { pageSize: PAGE, pageToken: pageParam, query, reason: reason as never }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
  });

export const tokens = queryOptions({
  queryKey: ['tokens'],
  queryFn: ({ signal }) =>
    all(async (pageToken) => {
      const page = await call('get', '/v1/tokens', { query: { pageSize: 200, pageToken }, signal });
      return [page.tokens, page.nextPageToken];
    }),
});

export const members = queryOptions({
  queryKey: ['members'],
  queryFn: ({ signal }) =>
    all(async (pageToken) => {
      const page = await call('get', '/v1/members', { query: { pageSize: 200, pageToken }, signal });
      return [page.members, page.nextPageToken];
    }),
});

export const invitations = queryOptions({
  queryKey: ['invitations'],
  queryFn: ({ signal }) =>
    all(async (pageToken) => {
      const page = await call('get', '/v1/invitations', { query: { pageSize: 200, pageToken }, signal });
      return [page.invitations, page.nextPageToken];
    }),
});

export const audit = (resource: string) =>
  queryOptions({
    queryKey: ['audit', resource],
    queryFn: ({ signal }) => call('get', '/v1/audit', { query: { resource, pageSize: 100 }, signal }),
  });

async function all<T>(page: (token: string) => Promise<[T[], string]>): Promise<T[]> {
  const found: T[] = [];
  let token = '';
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const [items, next] = await page(token);
    found.push(...items);
    if (!next) break;
    token = next;
  }
  return found;
}
