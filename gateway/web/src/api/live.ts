/** What the server pushes, put where the screens read it. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { campaign, isDeep, overview } from './queries';
import { follow } from './stream';
import type { StreamState } from './stream';
import type { Campaign, Overview } from './types';

/** Lists are asked anew this long after the overview changed, and no oftener: a busy workspace changes each second. */
const LISTS_EVERY_MS = 3000;

const LISTS = ['campaigns', 'messages', 'mailboxes', 'attention', 'usage', 'forecast'];

/** Keeps the counts live, and lets lists follow them. */
export function useLiveOverview(enabled: boolean): StreamState {
  const cache = useQueryClient();
  const [state, setState] = useState<StreamState>({});
  useEffect(() => {
    if (!enabled) return undefined;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onMessage = (message: Overview) => {
      cache.setQueryData(overview.queryKey, message);
      timer ??= setTimeout(() => {
        timer = undefined;
        void cache.invalidateQueries({ predicate: (query) => LISTS.includes(String(query.queryKey[0])) && !isDeep(query) });
      }, LISTS_EVERY_MS);
    };
    void follow<Overview>('/v1/overview:watch', { onMessage, onState: setState }, stop.signal);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [cache, enabled]);
  return state;
}

/** Keeps one campaign live, as long as it can change. The stream has not what only a Get has: that is kept. */
export function useLiveCampaign(id: string): StreamState {
  const cache = useQueryClient();
  const [state, setState] = useState<StreamState>({});
  useEffect(() => {
    const stop = new AbortController();
    const onMessage = (message: { campaign?: Campaign }) => {
      const now = message.campaign;
      if (!now) return;
      cache.setQueryData(campaign(id).queryKey, (before: Campaign | undefined) =>
        before ? { ...before, ...now, shares: now.shares.length > 0 ? now.shares : before.shares } : now,
      );
    };
    void follow<{ campaign?: Campaign }>(`/v1/campaigns/${encodeURIComponent(id)}:watch`, { onMessage, onState: setState }, stop.signal);
    return () => stop.abort();
  }, [cache, id]);
  return state;
}
