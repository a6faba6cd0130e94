import { useState } from 'react';
import type { Catcher, Mailbox, Security } from '../../api/types';
import { seconds } from '../../words/time';
import { isCaught, PRESETS, presetOf } from './presets';
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
  connections: string;
  /** Empty domain, selector and key: its messages are not signed here. */
  dkim: { domain: string; selector: string; privateKey: string };
}

export const UNSIGNED: MailboxForm['dkim'] = { domain: '', selector: '', privateKey: '' };

/** What is typed, from a preset or from the mailbox as it is. */
export function useMailboxForm(mailbox: Mailbox | undefined, catcher: Catcher | undefined) {
  const [form, setForm] = useState<MailboxForm>(() => (mailbox ? of(mailbox, catcher) : fresh('gmail')));
  const [touched, setTouched] = useState(false);
  const set = (change: Partial<MailboxForm>) => {
    setTouched(true);
    setForm((before) => ({ ...before, ...change }));
  };
  const pick = (preset: Preset) => set({ preset, ...serverOf(preset, catcher), ...(mailbox ? {} : paceOf(preset)) });
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
    maxConnections: form.connections ? Number(form.connections) : undefined,
    dkim: toDkim(form),
  };
}

export function toSmtp(form: MailboxForm) {
  return { host: form.host.trim(), port: Number(form.port) || 0, security: form.security, username: usernameOf(form) };
}

function toDkim({ dkim }: MailboxForm) {
  const [domain, selector, privateKey] = [dkim.domain.trim(), dkim.selector.trim(), dkim.privateKey.trim()];
  return domain || selector || privateKey ? { domain, selector, ...(privateKey ? { privateKey } : {}) } : undefined;
}

/** The name to sign in with is the address, unless another is given; without a password there is nothing to sign in for. */
function usernameOf({ username, address, security, password, preset }: MailboxForm): string {
  if (security === 'SECURITY_NONE' && !password) return '';
  return username.trim() || (preset === 'other' && !password ? '' : address.trim());
}

/** What a change of a mailbox names. Secrets that were not typed stay as they are. */
export function maskOf(form: MailboxForm): string[] {
  const dkim = toDkim(form);
  const smtp = ['smtp.host', 'smtp.port', 'smtp.security', 'smtp.username'];
  const signing = dkim ? ['dkim.domain', 'dkim.selector', ...(dkim.privateKey ? ['dkim.privateKey'] : [])] : ['dkim'];
  return ['address', 'displayName', 'hourlyLimit', 'dailyLimit', 'minGap', 'maxConnections', ...smtp, ...(form.password ? ['smtp.password'] : []), ...signing];
}

function fresh(preset: Preset): MailboxForm {
  return { preset, address: '', displayName: '', username: '', password: '', ...serverOf(preset, undefined), ...paceOf(preset), dkim: UNSIGNED };
}

function serverOf(preset: Preset, catcher: Catcher | undefined) {
  const { smtp } = PRESETS[preset];
  const { host, port } = preset === 'catcher' && catcher ? catcher : smtp;
  return { host, port: String(port), security: smtp.security };
}

function paceOf(preset: Preset) {
  const { hourly, daily, gap, connections } = PRESETS[preset];
  return { hourly: String(hourly), daily: daily === undefined ? '' : String(daily), gap: String(gap), connections: String(connections) };
}

function of(mailbox: Mailbox, catcher: Catcher | undefined): MailboxForm {
  const { address, displayName, smtp, hourlyLimit, dailyLimit, minGap, maxConnections, dkim } = mailbox;
  return {
    preset: isCaught(mailbox, catcher) ? 'catcher' : presetOf(smtp?.host ?? ''),
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
    connections: maxConnections ? String(maxConnections) : '',
    dkim: dkim ? { domain: dkim.domain, selector: dkim.selector, privateKey: '' } : UNSIGNED,
  };
}
