import { Button } from '../../components/Button';
import { EmptyState } from '../../components/EmptyState';

/** A filter left nothing: what was looked for, where, and the way back. */
export function NoMatch({ query, among, onClear, wider }: { query: string | undefined; among: string; onClear: () => void; wider?: { text: string; run: () => void } | undefined }) {
  return (
    <EmptyState
      title={query ? `No email to "${query}"` : 'No email fits'}
      actions={
        <>
          {wider && <Button onClick={wider.run}>{wider.text}</Button>}
          <Button kind={wider ? 'quiet' : 'default'} onClick={onClear}>
            Clear filters
          </Button>
        </>
      }
    >
      {query ? `Searched recipients of the ${among}: how their address begins, or its domain.` : `None of the ${among} fits these filters.`}
    </EmptyState>
  );
}
