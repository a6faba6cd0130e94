import { Suspense } from 'react';
import type { ComponentType } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { lazily } from './components/lazily';
import { Broken } from './shell/Broken';
import { Shell } from './shell/Shell';

/** Each screen is a file of its own, asked for when it is opened; until it is there, the one before stays. */
const screen = (load: () => Promise<{ Screen: ComponentType }>) => lazily(async () => (await load()).Screen);

const SignIn = screen(() => import('./routes/sign-in/SignIn'));
const Campaigns = screen(() => import('./routes/campaigns/Campaigns'));
const Campaign = screen(() => import('./routes/campaign/Campaign'));
const Compose = screen(() => import('./routes/compose/Compose'));
const Scheduled = screen(() => import('./routes/scheduled/Scheduled'));
const Sent = screen(() => import('./routes/sent/Sent'));
const Attention = screen(() => import('./routes/attention/Attention'));
const Mailboxes = screen(() => import('./routes/mailboxes/Mailboxes'));
const Suppressions = screen(() => import('./routes/suppressions/Suppressions'));
const Tokens = screen(() => import('./routes/tokens/Tokens'));
const Members = screen(() => import('./routes/members/Members'));
const NotFound = screen(() => import('./shell/NotFound'));

/** What is at which address. The plain router: that of "data" is another 20 kB on each first load, for what TanStack Query does here. */
export function Router() {
  return (
    <BrowserRouter>
      <Broken>
        <Suspense>
          <Routes>
            <Route path="sign-in" element={<SignIn />} />
            <Route element={<Shell />}>
              <Route index element={<Navigate to="/campaigns" replace />} />
              <Route path="campaigns" element={<Campaigns />} />
              <Route path="campaigns/:campaignId" element={<Campaign />} />
              <Route path="compose/:campaignId?" element={<Compose />} />
              <Route path="scheduled" element={<Scheduled />} />
              <Route path="sent" element={<Sent />} />
              <Route path="attention" element={<Attention />} />
              <Route path="mailboxes" element={<Mailboxes />} />
              <Route path="suppressions" element={<Suppressions />} />
              <Route path="tokens" element={<Tokens />} />
              <Route path="members" element={<Members />} />
              <Route path="*" element={<NotFound />} />
            </Route>
          </Routes>
        </Suspense>
      </Broken>
    </BrowserRouter>
  );
}
