import { ButtonLink } from '../components/Button';
import { EmptyState } from '../components/EmptyState';
import { Head } from '../components/Head';

export function Screen() {
  return (
    <>
      <Head title="Not found" />
      <EmptyState title="There is nothing at this address" actions={<ButtonLink to="/campaigns">Campaigns</ButtonLink>} />
    </>
  );
}
