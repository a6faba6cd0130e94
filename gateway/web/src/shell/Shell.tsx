import { useQuery } from '@tanstack/react-query';
import { WifiOff } from 'lucide-react';
import { Suspense, useEffect, useState } from 'react';
import { Outlet, useLocation, useNavigate, useNavigationType } from 'react-router';
import { whenSignedOut } from '../api/client';
import { ApiError } from '../api/error';
import { useLiveOverview } from '../api/live';
import { identity, overview } from '../api/queries';
import { useKeys } from './shortcuts';
import { lazily } from '../components/lazily';
import { Note } from '../components/Note';
import { SkeletonRows } from '../components/Skeleton';
import { Toasts } from '../components/Toasts';
import { clockS } from '../words/time';
import { Broken } from './Broken';
import { MAIL, WORKSPACE } from './navigation';
import { PageError } from './PageError';
import { signInPath } from './session';
import { Sidebar } from './Sidebar';
import { TabBar } from './TabBar';

const fetchPalette = () => import('./Palette');
const Palette = lazily(async () => (await fetchPalette()).Palette);
const Shortcuts = lazily(async () => (await import('./Shortcuts')).Shortcuts);

/** What is around every screen. */
export function Shell() {
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(identity);
  const [open, setOpen] = useState<'palette' | 'keys' | undefined>();
  useQuery({ ...overview, enabled: data !== undefined });
  const { lostAt } = useLiveOverview(data !== undefined);
  useEffect(() => whenSignedOut(() => void navigate(signInPath(), { replace: true })), [navigate]);
  useFocusOnTitle();
  // Behind the first screen, so that it is there when what is typed after ⌘K arrives.
  useEffect(() => void fetchPalette().catch(() => undefined), []);
  useKeys({
    c: () => void navigate('/compose'),
    'mod+k': () => setOpen('palette'),
    '?': () => setOpen('keys'),
    '/': () => document.querySelector<HTMLInputElement>('[data-find]')?.focus(),
    ...Object.fromEntries([...MAIL, ...WORKSPACE].filter(({ letter }) => letter).map(({ letter, to }) => [`g ${letter}`, () => void navigate(to)])),
  });
  if (error instanceof ApiError && error.code === 401) return null;
  return (
    <>
      <a href="#main" className="absolute -left-[999px] z-50 bg-raised px-3 py-2 focus:top-3 focus:left-3">
        Skip to content
      </a>
      <div className="grid min-h-screen grid-cols-[var(--sidebar)_minmax(0,1fr)] narrow:grid-cols-[60px_minmax(0,1fr)] phone:block">
        <Sidebar onFind={() => setOpen('palette')} onKeys={() => setOpen('keys')} />
        <main id="main" tabIndex={-1} className="min-w-0 pb-10 phone:pb-20">
          {lostAt && !error && (
            <Note icon={WifiOff} className="mx-gutter mt-3">
              <b>Live updates stopped at {clockS(lostAt)}.</b> Connecting again…
            </Note>
          )}
          {error && !data ? (
            <PageError error={error} onRetry={() => void refetch()} />
          ) : (
            <Broken>
              <Suspense fallback={<SkeletonRows />}>
                <Outlet />
              </Suspense>
            </Broken>
          )}
        </main>
      </div>
      <TabBar onFind={() => setOpen('palette')} />
      <Toasts />
      <Suspense>
        {open === 'palette' && <Palette onClose={() => setOpen(undefined)} />}
        {open === 'keys' && <Shortcuts onClose={() => setOpen(undefined)} />}
      </Suspense>
    </>
  );
}

/** Another screen begins at its top, and its title has the focus: who cannot see it hears where they are. */
function useFocusOnTitle() {
  const { pathname } = useLocation();
  const how = useNavigationType();
  useEffect(() => {
    // Where one goes back, the browser knows how far down one was; a draft gets its address while one writes.
    if (how === 'PUSH') scrollTo(0, 0);
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    // How one came belongs to where one is: it changes nothing by itself.
  }, [pathname]);
}
