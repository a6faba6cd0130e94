import { createBrowserRouter, Navigate } from 'react-router';
import type { ComponentType } from 'react';
import { SkeletonRows } from './components/Skeleton';
import { RouteError } from './shell/RouteError';
import { Shell } from './shell/Shell';

/** Each screen is a file of its own, asked for when it is opened. */
const screen = (load: () => Promise<{ Screen: ComponentType }>) => async () => ({ Component: (await load()).Screen });

export const router = createBrowserRouter([
  { path: '/sign-in', lazy: screen(() => import('./routes/sign-in/SignIn')), errorElement: <RouteError />, hydrateFallbackElement: <></> },
  {
    path: '/',
    element: <Shell />,
    errorElement: <RouteError />,
    children: [
      { index: true, element: <Navigate to="/campaigns" replace /> },
      {
        errorElement: <RouteError />,
        // Around the first screen, while its file comes, the shell is there already.
        hydrateFallbackElement: <SkeletonRows />,
        children: [
          { path: 'campaigns', lazy: screen(() => import('./routes/campaigns/Campaigns')) },
          { path: 'campaigns/:campaignId', lazy: screen(() => import('./routes/campaign/Campaign')) },
          { path: 'compose/:campaignId?', lazy: screen(() => import('./routes/compose/Compose')) },
          { path: 'scheduled', lazy: screen(() => import('./routes/scheduled/Scheduled')) },
          { path: 'sent', lazy: screen(() => import('./routes/sent/Sent')) },
          { path: 'attention', lazy: screen(() => import('./routes/attention/Attention')) },
          { path: 'mailboxes', lazy: screen(() => import('./routes/mailboxes/Mailboxes')) },
          { path: 'suppressions', lazy: screen(() => import('./routes/suppressions/Suppressions')) },
          { path: 'tokens', lazy: screen(() => import('./routes/tokens/Tokens')) },
          { path: 'members', lazy: screen(() => import('./routes/members/Members')) },
          { path: '*', lazy: screen(() => import('./shell/NotFound')) },
        ],
      },
    ],
  },
]);
