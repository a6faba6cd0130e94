import { Button } from '../../components/Button';
import { Raw, Step, Steps } from '../../components/Steps';
import { capital } from '../../words/number';
import { SECURITIES } from './presets';

interface Result {
  verified: boolean;
  failedStep: string;
  reason: string;
  reply: string;
  steps: readonly { step: string; ok: boolean; detail: string }[];
  suggestedPort: number;
  suggestedSecurity: string;
}

const ALL = ['STEP_RESOLVE', 'STEP_CONNECT', 'STEP_TLS', 'STEP_AUTH', 'STEP_READY'] as const;

const WORDS: Readonly<Record<string, readonly [done: string, failed: string, ahead: string]>> = {
  STEP_RESOLVE: ['Found the server', 'Could not find the server', 'Find the server'],
  STEP_CONNECT: ['Connected', 'Could not connect', 'Connect'],
  STEP_TLS: ['Encrypted', 'Could not encrypt', 'Encrypt'],
  STEP_HELLO: ['Said hello', 'It did not say hello', 'Say hello'],
  STEP_AUTH: ['Signed in', 'Could not sign in', 'Sign in'],
  STEP_READY: ['Ready to send', 'Not ready to send', 'Ready to send'],
};

/** Each step of a verification, as far as it got; in words which failed, and what may help. */
export function VerifyResult({ result, busy, onUse }: { result: Result | undefined; busy: boolean; onUse: (port: number, security: string) => void }) {
  const done = result?.steps ?? [];
  const reached = new Set(done.map(({ step }) => step));
  const ahead = result?.verified ? [] : ALL.filter((step) => !reached.has(step));
  return (
    <div aria-live="polite" aria-busy={busy} className="border-l border-line bg-desk px-[22px] py-4.5 [--mark-cut:var(--color-desk)] phone:border-t phone:border-l-0">
      <h3 className="mb-1.5 text-12 font-medium text-ink-2">Verify</h3>
      <Steps>
        {done.filter(({ step, ok }) => !ok || step !== 'STEP_HELLO').map(({ step, ok, detail }) => (
          <Step key={step} mark={ok ? 'pass' : 'failed'} title={WORDS[step]?.[ok ? 0 : 1]}>
            {ok ? said(step, detail) && <p className="text-12 text-ink-3">{said(step, detail)}</p> : <Failure result={result} detail={detail} onUse={onUse} />}
          </Step>
        ))}
        {ahead.map((step, place) => (
          <Step key={step} mark={busy && place === 0 ? 'sending' : 'pending'} faint title={WORDS[step]?.[2]} time={result && 'not yet'} />
        ))}
      </Steps>
    </div>
  );
}

/** What its line says beyond the title. */
function said(step: string, detail: string): string {
  const title = WORDS[step]?.[0] ?? '';
  const rest = detail.startsWith(title) ? detail.slice(title.length).replace(/^[\s:,(]+|\)$/g, '') : detail;
  return capital(rest);
}

function Failure({ result, detail, onUse }: { result: Result | undefined; detail: string; onUse: (port: number, security: string) => void }) {
  if (!result) return null;
  const { reason, reply, suggestedPort, suggestedSecurity } = result;
  return (
    <>
      <p className="text-ink-2">{reason || detail}</p>
      {reply && <Raw>{reply}</Raw>}
      {suggestedPort > 0 && (
        <Button size="small" className="mt-2" onClick={() => onUse(suggestedPort, suggestedSecurity)}>
          Use port {suggestedPort} with {SECURITIES[suggestedSecurity] ?? 'TLS'}
        </Button>
      )}
    </>
  );
}
