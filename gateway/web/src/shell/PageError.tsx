import { RefreshCw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { ApiError, sentence } from '../api/error';
import { Button } from '../components/Button';
import { EmptyState } from '../components/EmptyState';
import { Icon } from '../components/Icon';
import { Raw } from '../components/Steps';
import { clockS } from '../words/time';

/** While nothing answers, it is asked again by itself. */
const AGAIN_MS = 5000;

/** A screen that could not be read: what that means, and how it goes on. */
export function PageError({ error, onRetry, at }: { error: unknown; onRetry: () => void; at?: Date | undefined }) {
  const [first] = useState(() => new Date());
  const known = error instanceof ApiError ? error : undefined;
  const unreachable = known?.unreachable ?? false;
  // The latest, so that a screen that is drawn anew each second does not put the next try off for ever.
  const retry = useRef(onRetry);
  useEffect(() => {
    retry.current = onRetry;
  });
  useEffect(() => {
    if (!unreachable) return undefined;
    const timer = setInterval(() => retry.current(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [unreachable]);
  const raw = known && known.code > 0 ? `${known.code} ${known.status}${known.requestId ? `, request ${known.requestId}` : ''}` : undefined;
  return (
    <div role="alert">
      <EmptyState
        title={title(known)}
        actions={
          known?.code === 403 || known?.code === 404 ? undefined : (
            <Button icon={<Icon of={RefreshCw} />} onClick={onRetry}>
              Try now
            </Button>
          )
        }
      >
        {unreachable ? (
          <p>
            We try again every few seconds. Sending does not need this page.
            {at ? ` What you see is from ${clockS(at)}.` : ` Asked since ${clockS(first)}.`}
          </p>
        ) : (
          <p>{known ? sentence(known.message) : 'This page met something that it does not know.'}</p>
        )}
        {raw && <Raw>{raw}</Raw>}
      </EmptyState>
    </div>
  );
}

function title(error: ApiError | undefined): string {
  if (error?.unreachable) return 'Maillane does not answer';
  if (error?.code === 404) return 'There is nothing here';
  if (error?.code === 403) return 'Your role does not open this';
  return 'This did not work';
}
