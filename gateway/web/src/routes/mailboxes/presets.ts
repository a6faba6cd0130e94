import type { Security } from '../../api/types';

export type Preset = 'gmail' | 'outlook' | 'other';

interface Smtp {
  host: string;
  port: number;
  security: Security;
}

/** What a provider asks for. Limits are of a usual account there, on the safe side. */
export const PRESETS: Readonly<Record<Preset, { text: string; smtp: Smtp; password: string; hint?: string; hourly: number; daily: number; gap: number }>> = {
  gmail: {
    text: 'Gmail',
    smtp: { host: 'smtp.gmail.com', port: 465, security: 'SECURITY_TLS' },
    password: 'App password',
    hint: 'Sixteen letters, from the account’s security settings; not the password you sign in with.',
    hourly: 40,
    daily: 400,
    gap: 30,
  },
  outlook: {
    text: 'Outlook',
    smtp: { host: 'smtp.office365.com', port: 587, security: 'SECURITY_STARTTLS' },
    password: 'Password',
    hint: 'SMTP sign-in has to be allowed for the mailbox.',
    hourly: 30,
    daily: 300,
    gap: 60,
  },
  other: { text: 'Other SMTP', smtp: { host: '', port: 465, security: 'SECURITY_TLS' }, password: 'Password', hourly: 50, daily: 500, gap: 30 },
};

export const SECURITIES: Readonly<Record<string, string>> = {
  SECURITY_TLS: 'TLS',
  SECURITY_STARTTLS: 'STARTTLS',
  SECURITY_NONE: 'no encryption',
};

export function presetOf(host: string): Preset {
  if (host === PRESETS.gmail.smtp.host) return 'gmail';
  if (host === PRESETS.outlook.smtp.host) return 'outlook';
  return 'other';
}
