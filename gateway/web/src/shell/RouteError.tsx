import { useRouteError } from 'react-router';
import { Button } from '../components/Button';
import { EmptyState } from '../components/EmptyState';

/** A screen broke, or its file is of a version that is gone: loading the page anew mends both. */
export function RouteError() {
  const error = useRouteError();
  console.error(error);
  return (
    <div role="alert">
      <EmptyState title="This page broke" actions={<Button onClick={() => location.reload()}>Load it again</Button>}>
        Sending does not need this page, and goes on. There may be a newer version of it.
      </EmptyState>
    </div>
  );
}
