import { useQuery } from '@tanstack/react-query';
import { Lock } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { request } from '../../api/client';
import { client } from '../../api/queries';
import { because } from '../../api/useAct';
import { BrandMark, Wordmark } from '../../components/Brand';
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { Note } from '../../components/Note';
import { refusal } from '../../words/refusal';
import { GoogleMark } from './GoogleMark';
import { SignInArt } from './SignInArt';

/** What GET /auth/providers answers. */
interface Providers {
  provider: { name: string } | null;
  local: boolean;
}

export function Screen() {
  const [search] = useSearchParams();
  const back = safeReturn(search.get('return'));
  const reason = search.get('error');
  const { data, error } = useQuery({ queryKey: ['providers'], queryFn: () => request('GET', '/auth/providers') as Promise<Providers> });
  useEffect(() => {
    document.title = 'Sign in · Maillane';
  }, []);
  return (
    <div className="grid min-h-screen grid-cols-[minmax(420px,42%)_minmax(0,1fr)] max-[900px]:grid-cols-1">
      <main className="flex flex-col px-14 py-8 max-[900px]:px-6">
        <span className="inline-flex items-center gap-2.5">
          <BrandMark size={26} />
          <Wordmark height={23} />
        </span>
        <div className="m-auto w-full max-w-[340px] py-10">
          <h1 className="text-[26px] leading-[34px] font-semibold tracking-[-0.025em]">Sign in</h1>
          <p className="mt-1 mb-6.5 text-14 text-ink-2">{data?.local && !data.provider ? 'You sit at the machine it runs on: no account is needed.' : 'With the account you use at work.'}</p>
          {reason && <Refused reason={reason} provider={data?.provider?.name ?? 'The provider'} wait={search.get('wait')} />}
          {error && (
            <Note tone="fail" className="mb-4">
              <b>Maillane does not answer.</b> Try again in a minute. Campaigns go on sending.
            </Note>
          )}
          {data?.provider && (
            <a href={`/auth/sign-in?return=${encodeURIComponent(back)}`} className={BIG}>
              {data.provider.name === 'Google' ? <GoogleMark /> : <Icon of={Lock} className="text-ink-2" />}
              Continue with {data.provider.name}
            </a>
          )}
          {data?.local && <Local back={back} alone={!data.provider} />}
          {data && !data.provider && !data.local && (
            <Note>
              <b>Nobody can sign in yet.</b> No provider is set up. Who runs Maillane finds how in its operating manual, under Google sign-in.
            </Note>
          )}
          {data?.provider && <p className="mt-5 text-12 text-ink-3">New here? Ask an admin of your workspace for an invitation.</p>}
        </div>
        <span className="h-7" />
      </main>
      <SignInArt />
    </div>
  );
}

const BIG = 'flex h-[42px] items-center justify-center gap-2.5 rounded-[8px] border border-line-2 bg-paper text-14 font-medium shadow-1 hover:bg-hover';

function Local({ back, alone }: { back: string; alone: boolean }) {
  const [state, setState] = useState<{ busy: boolean; failed?: string }>({ busy: false });
  const enter = async () => {
    setState({ busy: true });
    try {
      await request('POST', '/auth/local');
      client.clear();
      location.assign(back);
    } catch (error) {
      setState({ busy: false, failed: because(error) });
    }
  };
  return (
    <>
      {!alone && (
        <p className="mt-4.5 mb-3 flex items-center gap-3 text-12 text-ink-3 before:flex-1 before:border-t before:border-line after:flex-1 after:border-t after:border-line">on this machine only</p>
      )}
      <Button size="big" className="w-full rounded-[8px]" busy={state.busy} onClick={() => void enter()}>
        Continue on this machine
      </Button>
      {state.failed && (
        <Note tone="fail" className="mt-3">
          <b>Not signed in.</b> {state.failed}
        </Note>
      )}
    </>
  );
}

function Refused({ reason, provider, wait }: { reason: string; provider: string; wait: string | null }) {
  const [title, text] = refusal(reason, { provider, wait });
  return (
    <Note tone="fail" className="mb-4">
      <b className="block">{title}</b> {text}
    </Note>
  );
}

/** Only a path of ours: anything else could lead the person to another site. */
export function safeReturn(path: string | null): string {
  return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/sign-in') ? path : '/campaigns';
}
