import type { ReactNode } from 'react';
import { PageError } from './PageError';

interface ListedProps {
  found: { isPending: boolean; error: unknown; data?: unknown; refetch: () => unknown };
  isEmpty?: boolean;
  skeleton: ReactNode;
  empty?: ReactNode;
  children: ReactNode;
}

/** What stands where a list does: the shape of its rows until they come, what went wrong, why there are none, or the rows. */
export function Listed({ found, isEmpty = false, skeleton, empty, children }: ListedProps) {
  if (found.isPending) return skeleton;
  if (found.error && !found.data) return <PageError error={found.error} onRetry={() => void found.refetch()} />;
  return isEmpty ? empty : children;
}
