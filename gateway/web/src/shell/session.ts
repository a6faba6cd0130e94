import { client } from '../api/queries';
import { request } from '../api/client';

/** The sign-in page, which comes back to this screen. It stays as it is where one is there already: several calls are refused at once. */
export function signInPath(): string {
  const here = location.pathname + location.search;
  if (here.startsWith('/sign-in')) return here;
  return here === '/' ? '/sign-in' : `/sign-in?return=${encodeURIComponent(here)}`;
}

/** Ends the session, and forgets all that was read with it. */
export async function signOut(): Promise<void> {
  await request('POST', '/auth/sign-out');
  client.clear();
  location.assign('/sign-in');
}
