import { client } from '../api/queries';
import { request } from '../api/client';

/** Where sign-in comes back to: this screen. */
export function signInPath(): string {
  const here = location.pathname + location.search;
  return here === '/' || here.startsWith('/sign-in') ? '/sign-in' : `/sign-in?return=${encodeURIComponent(here)}`;
}

/** Ends the session, and forgets all that was read with it. */
export async function signOut(): Promise<void> {
  await request('POST', '/auth/sign-out');
  client.clear();
  location.assign('/sign-in');
}
