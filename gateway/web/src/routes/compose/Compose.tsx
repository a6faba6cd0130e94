import { Head } from '../../components/Head';

export function Screen() {
  return <Head title="New campaign" />;
}
