import { Ban, Clock, Inbox, KeyRound, Send, TriangleAlert, Users } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import type { Overview } from '../api/types';
import { count } from '../words/number';

export interface Place {
  to: string;
  text: string;
  /** Undefined: the lanes glyph. */
  icon?: LucideIcon;
  /** The letter after G. */
  letter?: string;
  badge?: (overview: Overview) => string;
  hot?: boolean;
}

export const MAIL: readonly Place[] = [
  { to: '/campaigns', text: 'Campaigns', letter: 'c', badge: (all) => (all.activeCampaigns > 0 ? `${count(all.activeCampaigns)} active` : '') },
  { to: '/scheduled', text: 'Scheduled', icon: Clock, letter: 's', badge: (all) => count(all.scheduled) },
  { to: '/sent', text: 'Sent', icon: Send, letter: 't', badge: (all) => count(all.sent) },
  { to: '/attention', text: 'Needs attention', icon: TriangleAlert, letter: 'a', hot: true, badge: (all) => (all.attention > 0 ? count(all.attention) : '') },
];

export const WORKSPACE: readonly Place[] = [
  { to: '/mailboxes', text: 'Mailboxes', icon: Inbox, letter: 'm' },
  { to: '/suppressions', text: 'Suppressions', icon: Ban },
  { to: '/tokens', text: 'API tokens', icon: KeyRound },
  { to: '/members', text: 'Members', icon: Users },
];
