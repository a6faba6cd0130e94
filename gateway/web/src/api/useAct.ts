import { useMutation, useQueryClient } from '@tanstack/react-query';
import { toast } from '../components/Toasts';
import { ApiError, sentence } from './error';

interface Act<V, R> {
  run: (given: V) => Promise<R>;
  /** First parts of the keys that may have changed. */
  changes: readonly string[];
  onDone?: (result: R, given: V) => void;
  /** "Not paused": begins the toast of a failure. Without it the caller shows the error itself. */
  failed?: string;
}

/** Something that changes something: runs, asks anew for what changed, and says so where it failed. */
export function useAct<V = void, R = unknown>({ run, changes, onDone, failed }: Act<V, R>) {
  const cache = useQueryClient();
  return useMutation<R, Error, V>({
    mutationFn: run,
    onSuccess: (result, given) => {
      for (const key of changes) void cache.invalidateQueries({ queryKey: [key] });
      onDone?.(result, given);
    },
    onError: (error) => {
      if (failed) toast({ text: `${failed}: ${because(error)}`, failed: true });
    },
  });
}

/** Why, for a person. */
export function because(error: unknown): string {
  if (error instanceof ApiError) return error.unreachable ? 'Maillane does not answer' : sentence(error.message);
  return 'something went wrong on this page';
}
