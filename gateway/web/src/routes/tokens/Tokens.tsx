import { useQuery } from '@tanstack/react-query';
import { Copy, KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client';
import { ApiError } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import { identity, tokens } from '../../api/queries';
import type { Token } from '../../api/types';
import { Button } from '../../components/Button';
import { Columns } from '../../components/Columns';
import { Confirm } from '../../components/Confirm';
import { EmptyState } from '../../components/EmptyState';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SkeletonRows } from '../../components/Skeleton';
import { toast } from '../../components/Toasts';
import { Listed } from '../../shell/Listed';
import { useNow } from '../../useNow';
import { roleWords } from '../../words/role';
import { ago, calendarDay, date } from '../../words/time';
import { Two } from '../campaigns/CampaignRow';
import { CreateToken } from './CreateToken';

/** Unused for so long, a token is asked about. */
const STALE_MS = 60 * 86_400_000;

export function Screen() {
  const now = useNow(10_000);
  const { data: who } = useQuery(identity);
  const found = useQuery(tokens);
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<{ token: Token; secret: string } | undefined>();
  const [revoking, setRevoking] = useState<Token | undefined>();
  const forbidden = found.error instanceof ApiError && found.error.code === 403;
  const sorted = [...(found.data ?? [])].sort((one, other) => Number(Boolean(one.revokeTime)) - Number(Boolean(other.revokeTime)) || (other.createTime ?? '').localeCompare(one.createTime ?? ''));
  return (
    <>
      <Head
        title="API tokens"
        fact={who?.workspace && `for services and scripts that call Maillane as ${who.workspace.name}`}
        actions={
          !forbidden && (
            <Button icon={<Icon of={Plus} />} onClick={() => setCreating(true)}>
              Create token
            </Button>
          )
        }
      />
      {made && <Once {...made} onClose={() => setMade(undefined)} />}
      {forbidden ? (
        <EmptyState title="Admins manage tokens">Ask an admin of this workspace for one.</EmptyState>
      ) : (
        <Listed found={found} skeleton={<SkeletonRows height={54} two />}>
          <table className="table w-full table-fixed border-collapse">
            <colgroup>
              <col />
              <col className="w-[24%]" />
              <col className="w-[16%]" />
              <col className="w-[20%]" />
              <col className="w-[112px]" />
            </colgroup>
            <Columns names={['Name', 'May', 'Last used', 'Created']} />
            <tbody>
              {sorted.map((token) => (
                <Row key={token.id} token={token} now={now} fresh={token.id === made?.token.id} own={token.id === who?.token?.id} onRevoke={() => setRevoking(token)} />
              ))}
            </tbody>
          </table>
        </Listed>
      )}
      <section aria-label="Try one" className="px-gutter pt-7">
        <h2 className="mb-2 font-semibold">Try one</h2>
        <pre tabIndex={0} className="max-w-[660px] overflow-x-auto rounded-[5px] bg-hover px-3.5 py-3 font-mono text-12 leading-[19px] text-ink-2">{`curl -H "Authorization: Bearer $MAILLANE_TOKEN" \\\n  ${location.origin}/v1/campaigns`}</pre>
        <p className="mt-2 text-12 text-ink-3">
          Everything that these screens do is in the API.{' '}
          <a className="link" href="/docs">
            Read and try it
          </a>
        </p>
      </section>
      {creating && <CreateToken onClose={() => setCreating(false)} onMade={setMade} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function Row({ token, now, fresh, own, onRevoke }: { token: Token; now: Date; fresh: boolean; own: boolean; onRevoke: () => void }) {
  const [role, may] = roleWords(token.role);
  const used = date(token.lastUseTime);
  const created = date(token.createTime);
  const revoked = date(token.revokeTime);
  return (
    <tr data-row data-open={fresh || undefined} className={revoked ? 'text-ink-3' : undefined}>
      <td className="h-row-2">
        <span className={revoked ? 'line-through' : 'font-medium'}>{token.name}</span>
        {own && <small className="ml-2 text-12 text-ink-3">this one is in use here</small>}
      </td>
      <td className="p-full">{revoked ? role : <Two first={role} second={may} strong />}</td>
      <td className="p-full">
        <span className="flex items-baseline">
          <Name>Last used</Name>
          {used ? <Two first={ago(used, now)} second={!revoked && now.getTime() - used.getTime() > STALE_MS ? 'Still needed?' : ''} /> : <span className="text-ink-3">Not yet</span>}
        </span>
      </td>
      <td className="p-full text-ink-2">
        {!revoked && <Name>Created</Name>}
        {revoked ? `Revoked ${calendarDay(revoked, now)}` : created && calendarDay(created, now)}
      </td>
      <td className="num phone:col-start-2 phone:row-start-1">
        {!revoked && (
          <Button kind="danger" size="small" onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

/** The secret, which is shown this once. */
function Once({ token, secret, onClose }: { token: Token; secret: string; onClose: () => void }) {
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    toast({ text: 'Copied' });
  };
  return (
    <section aria-label="The new token" className="mx-gutter mb-5 flex gap-3 rounded-3 bg-mail-50 p-4 shadow-[inset_0_0_0_1px_var(--color-mail-200)]">
      <Icon of={KeyRound} className="mt-0.5 text-mail-ink" />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">Copy "{token.name}" now. It is shown only this once.</p>
        <p className="text-ink-2">We keep a hash of it, not the token. If it is lost, create another and revoke this one.</p>
        <div className="mt-3 flex max-w-[560px] items-center gap-2 rounded-[8px] bg-paper p-2 pl-3.5 shadow-[inset_0_0_0_1px_var(--color-mail-200)]">
          <code className="min-w-0 flex-1 font-mono text-12 break-all">{secret}</code>
          <Button size="small" icon={<Icon of={Copy} small />} onClick={() => void copy()}>
            Copy
          </Button>
        </div>
      </div>
      <Button kind="quiet" size="small" onClick={onClose}>
        I have it
      </Button>
    </section>
  );
}

function Revoke({ token, onClose }: { token: Token; onClose: () => void }) {
  const act = useAct({
    changes: ['tokens'],
    run: () => call('post', '/v1/tokens/{token_id}:revoke', { path: { token_id: token.id }, body: {} as never }),
    onDone: () => (toast({ text: `"${token.name}" opens nothing any more` }), onClose()),
  });
  return (
    <Confirm danger title={`Revoke "${token.name}"?`} keep="Keep it" verb="Revoke" busy={act.isPending} onConfirm={() => act.mutate()} onClose={onClose}>
      Programs that use it are refused from now on. {act.error && <span className="text-fail-ink">{because(act.error)}</span>}
    </Confirm>
  );
}

/** On a phone no head names the columns. */
function Name({ children }: { children: string }) {
  return <span className="mr-1.5 text-12 text-ink-3 desk:hidden">{children}</span>;
}
