import type { Catcher, Mailbox, Security } from '../../api/types';

/** The catcher is there where the deployment has one. */
export type Preset = 'gmail' | 'outlook' | 'other' | 'catcher';

interface Smtp {
  host: string;
  port: number;
  security: Security;
}

interface Provider {
  text: string;
  smtp: Smtp;
  password: string;
  /** Where the server refuses it. */
  refused: string;
  hint?: string;
  hourly: number;
  /** Undefined: no limit. */
  daily?: number;
  /** Seconds. */
  gap: number;
  connections: number;
}

const REFUSED = 'Its server refused the name or the password.';

/** What a provider asks for. Limits are of a usual account there, on the safe side. */
export const PRESETS: Readonly<Record<Preset, Provider>> = {
  gmail: {
    text: 'Gmail',
    smtp: { host: 'smtp.gmail.com', port: 465, security: 'SECURITY_TLS' },
    password: 'App password',
    refused: 'Google refused it. Use an app password, sixteen letters, not the one you sign in with.',
    hint: 'Sixteen letters, from the account’s security settings; not the password you sign in with.',
    hourly: 40,
    daily: 400,
    gap: 30,
    connections: 5,
  },
  outlook: {
    text: 'Outlook',
    smtp: { host: 'smtp.office365.com', port: 587, security: 'SECURITY_STARTTLS' },
    password: 'Password',
    refused: 'Microsoft refused it. SMTP sign-in has to be allowed for the mailbox.',
    hint: 'SMTP sign-in has to be allowed for the mailbox.',
    hourly: 30,
    daily: 300,
    gap: 60,
    // Exchange Online takes three at once.
    connections: 3,
  },
  other: { text: 'Other SMTP', smtp: { host: '', port: 465, security: 'SECURITY_TLS' }, password: 'Password', refused: REFUSED, hourly: 50, daily: 500, gap: 30, connections: 5 },
  catcher: { text: 'Catcher', smtp: { host: '', port: 0, security: 'SECURITY_NONE' }, password: 'Password', refused: REFUSED, hourly: 1000, gap: 1, connections: 5 },
};

export const SECURITIES: Readonly<Record<string, string>> = {
  SECURITY_TLS: 'TLS',
  SECURITY_STARTTLS: 'STARTTLS',
  SECURITY_NONE: 'no encryption',
};

/** The deployment's own mail server that delivers nothing, as a mailbox. */
export function caughtBy({ host, port }: Catcher) {
  const { smtp, hourly, gap } = PRESETS.catcher;
  return { address: 'catcher@example.com', displayName: 'Catcher', smtp: { host, port, security: smtp.security }, hourlyLimit: hourly, minGap: `${gap}s` };
}

/** Whether what leaves a mailbox goes to the catcher. */
export function isCaught({ smtp }: Pick<Mailbox, 'smtp'>, catcher: Catcher | undefined): boolean {
  return catcher !== undefined && smtp?.host === catcher.host && smtp.port === catcher.port;
}

export function presetOf(host: string): Preset {
  if (host === PRESETS.gmail.smtp.host) return 'gmail';
  if (host === PRESETS.outlook.smtp.host) return 'outlook';
  return 'other';
}
