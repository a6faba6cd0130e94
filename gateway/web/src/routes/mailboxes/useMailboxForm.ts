import { useState } from 'react';
import type { Mailbox, Security } from '../../api/types';
import { seconds } from '../../words/time';
import { PRESETS, presetOf } from './presets';
import type { Preset } from './presets';

export interface MailboxForm {
  preset: Preset;
  address: string;
  displayName: string;
  username: string;
  password: string;
  host: string;
  port: string;
  security: Security;
  hourly: string;
  daily: string;
  gap: string;
}

/** What is typed, from a preset or from the mailbox as it is. */
export function useMailboxForm(mailbox: Mailbox | undefined) {
  const [form, setForm] = useState<MailboxForm>(() => (mailbox ? of(mailbox) : fresh('gmail')));
  const [touched, setTouched] = useState(false);
  const set = (change: Partial<MailboxForm>) => {
    setTouched(true);
    setForm((before) => ({ ...before, ...change }));
  };
  const pick = (preset: Preset) => {
    const { smtp, hourly, daily, gap } = PRESETS[preset];
    set({ preset, host: smtp.host, port: String(smtp.port), security: smtp.security, ...(mailbox ? {} : { hourly: String(hourly), daily: String(daily), gap: String(gap) }) });
  };
  return { form, set, pick, touched };
}

/** The mailbox as the API takes it. */
export function toMailbox(form: MailboxForm) {
  return {
    address: form.address.trim(),
    displayName: form.displayName.trim(),
    smtp: { ...toSmtp(form), ...(form.password ? { password: form.password } : {}) },
    hourlyLimit: form.hourly ? Number(form.hourly) : undefined,
    dailyLimit: form.daily ? Number(form.daily) : undefined,
    minGap: `${Number(form.gap) || 0}s`,
  };
}

export function toSmtp(form: MailboxForm) {
  return { host: form.host.trim(), port: Number(form.port) || 0, security: form.security, username: usernameOf(form) };
}

/** The name to sign in with is the address, unless another is given; without a password there is nothing to sign in for. */
function usernameOf({ username, address, security, password, preset }: MailboxForm): string {
  if (security === 'SECURITY_NONE' && !password) return '';
  return username.trim() || (preset === 'other' && !password ? '' : address.trim());
}

export function maskOf(form: MailboxForm): string[] {
  const smtp = ['smtp.host', 'smtp.port', 'smtp.security', 'smtp.username'];
  return ['address', 'displayName', 'hourlyLimit', 'dailyLimit', 'minGap', ...smtp, ...(form.password ? ['smtp.password'] : [])];
}

function fresh(preset: Preset): MailboxForm {
  const { smtp, hourly, daily, gap } = PRESETS[preset];
  return { preset, address: '', displayName: '', username: '', password: '', host: smtp.host, port: String(smtp.port), security: smtp.security, hourly: String(hourly), daily: String(daily), gap: String(gap) };
}

function of({ address, displayName, smtp, hourlyLimit, dailyLimit, minGap }: Mailbox): MailboxForm {
  return {
    preset: presetOf(smtp?.host ?? ''),
    address,
    displayName,
    username: smtp?.username ?? '',
    password: '',
    host: smtp?.host ?? '',
    port: String(smtp?.port ?? ''),
    security: smtp?.security ?? 'SECURITY_TLS',
    hourly: hourlyLimit ? String(hourlyLimit) : '',
    daily: dailyLimit ? String(dailyLimit) : '',
    gap: String(seconds(minGap)),
  };
}
