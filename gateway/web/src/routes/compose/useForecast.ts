import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { call } from '../../api/client';
import type { Plan } from '../../compose/plan';

/** After a change: no call for each key. */
const AFTER_MS = 200;
/** Others send meanwhile: what is used of limits changes. */
const ANEW_MS = 30_000;

/** The value as it was once it had rested. */
export function useRested<T>(value: T, afterMs: number): T {
  const [rested, setRested] = useState(value);
  const key = JSON.stringify(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(JSON.parse(key) as T), afterMs);
    return () => clearTimeout(timer);
  }, [key, afterMs]);
  return rested;
}

/** When the plan's emails leave, as things stand; old numbers stay until new ones come. */
export function useForecast({ mailboxIds, startTime, delayS, hourlyLimit }: Plan, total: number) {
  const pace = { mailboxIds, startTime: startTime ?? null, delayS, hourlyLimit: hourlyLimit ?? null, total };
  const asked = useRested(pace, AFTER_MS);
  const enabled = asked.mailboxIds.length > 0 && asked.total > 0;
  const query = useQuery({
    queryKey: ['forecast', 'plan', asked],
    queryFn: ({ signal }) =>
      call('post', '/v1/campaigns:forecast', {
        body: {
          campaign: {
            mailboxIds: [...asked.mailboxIds],
            ...(asked.startTime ? { startTime: asked.startTime } : {}),
            delay: `${asked.delayS}s`,
            ...(asked.hourlyLimit === null ? {} : { hourlyLimit: asked.hourlyLimit }),
          },
          recipients: asked.total,
        },
        signal,
      }),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: ANEW_MS,
    staleTime: 10_000,
  });
  const isOld = query.isPlaceholderData || JSON.stringify(pace) !== JSON.stringify(asked);
  return { data: enabled ? query.data : undefined, error: query.error, isOld };
}

export type ForecastAnswer = ReturnType<typeof useForecast>;
