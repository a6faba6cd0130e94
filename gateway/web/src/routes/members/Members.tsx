import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client';
import { because, useAct } from '../../api/useAct';
import { identity, invitations, members } from '../../api/queries';
import type { Invitation, Member, Role } from '../../api/types';
import { Button } from '../../components/Button';
import { Columns } from '../../components/Columns';
import { Confirm } from '../../components/Confirm';
import { Face } from '../../components/Face';
import { Head } from '../../components/Head';
import { Icon } from '../../components/Icon';
import { SkeletonRows } from '../../components/Skeleton';
import { toast } from '../../components/Toasts';
import { Listed } from '../../shell/Listed';
import { useNow } from '../../useNow';
import { counted } from '../../words/number';
import { ROLES, roleWords } from '../../words/role';
import { ago, calendarDay, date, inWords } from '../../words/time';
import { Two } from '../campaigns/CampaignRow';
import { Invite } from './Invite';

/** Who opens this workspace, and who may come. */
export function Screen() {
  const now = useNow(30_000);
  const { data: who } = useQuery(identity);
  const found = useQuery(members);
  const { data: invited = [] } = useQuery(invitations);
  const [inviting, setInviting] = useState(false);
  const admin = who?.role === 'ROLE_ADMIN';
  return (
    <>
      <Head
        title="Members"
        fact={found.data && counted(found.data.length, 'person', 'people')}
        actions={
          admin && (
            <Button icon={<Icon of={Plus} />} onClick={() => setInviting(true)}>
              Invite
            </Button>
          )
        }
      />
      <Listed found={found} skeleton={<SkeletonRows height={54} two />}>
        <table className="table w-full table-fixed border-collapse">
          <colgroup>
            <col />
            <col className="w-[26%]" />
            <col className="w-[22%]" />
            <col className="w-[128px]" />
          </colgroup>
          <Columns names={['Person', 'May', 'Since']} />
          <tbody>
            {found.data?.map((member) => (
              <MemberRow key={member.user?.id} member={member} admin={admin} own={member.user?.id === who?.user?.id} now={now} />
            ))}
            {invited.map((invitation) => (
              <InvitationRow key={invitation.id} invitation={invitation} admin={admin} now={now} />
            ))}
          </tbody>
        </table>
      </Listed>
      {!admin && found.data && <p className="px-gutter pt-4 text-12 text-ink-3">Admins invite people and change what they may.</p>}
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </>
  );
}

function MemberRow({ member, admin, own, now }: { member: Member; admin: boolean; own: boolean; now: Date }) {
  const [removing, setRemoving] = useState(false);
  const user = member.user;
  const change = useAct({
    changes: ['members', 'identity'],
    failed: 'Not changed',
    run: (role: Role) => call('patch', '/v1/members/{user_id}', { path: { user_id: user?.id ?? '' }, body: { role } as never }),
    onDone: () => toast({ text: `Changed. It holds from the next call on` }),
  });
  const remove = useAct({
    changes: ['members'],
    failed: 'Not removed',
    run: () => call('delete', '/v1/members/{user_id}', { path: { user_id: user?.id ?? '' } }),
    onDone: () => setRemoving(false),
  });
  const name = user?.name || user?.email || '';
  const since = date(member.createTime);
  const entered = date(member.enterTime);
  return (
    <tr data-row>
      <td className="h-row-2">
        <span className="flex items-center gap-2.5">
          <Face name={name} picture={user?.picture} />
          <Two first={own ? `${name} (you)` : name} second={user?.name ? (user.email ?? '') : ''} strong />
        </span>
      </td>
      <td>
        {admin ? (
          <select aria-label={`What ${name} may`} value={member.role} disabled={change.isPending} onChange={(event) => change.mutate(event.target.value as Role)} className="h-control-small rounded-2 border border-line-2 bg-paper px-2">
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {roleWords(role)[0]}
              </option>
            ))}
          </select>
        ) : (
          roleWords(member.role)[0]
        )}
      </td>
      <td>
        <Two first={since ? calendarDay(since, now) : ''} second={entered ? `Here ${ago(entered, now)}` : ''} />
      </td>
      <td className="num phone:col-start-2 phone:row-start-1">
        {admin && (
          <Button size="small" onClick={() => setRemoving(true)}>
            {own ? 'Leave' : 'Remove'}
          </Button>
        )}
        {removing && (
          <Confirm danger title={own ? 'Leave this workspace?' : `Remove ${name}?`} keep="Back" verb={own ? 'Leave' : 'Remove'} busy={remove.isPending} onConfirm={() => remove.mutate()} onClose={() => setRemoving(false)}>
            {own ? 'You see nothing of it' : 'They see nothing of this workspace'} from the next call on. What was made stays. {remove.error && <span className="text-fail-ink">{because(remove.error)}</span>}
          </Confirm>
        )}
      </td>
    </tr>
  );
}

function InvitationRow({ invitation, admin, now }: { invitation: Invitation; admin: boolean; now: Date }) {
  const ends = date(invitation.expireTime);
  const revoke = useAct({
    changes: ['invitations'],
    failed: 'Not withdrawn',
    run: () => call('delete', '/v1/invitations/{invitation_id}', { path: { invitation_id: invitation.id } }),
    onDone: () => toast({ text: `The invitation of ${invitation.email} is withdrawn` }),
  });
  return (
    <tr data-row className="text-ink-2">
      <td className="h-row-2">
        <span className="flex items-center gap-2.5">
          <Face name={invitation.email} />
          <Two first={invitation.email} second="Invited, has not come yet" />
        </span>
      </td>
      <td>{roleWords(invitation.role)[0]}</td>
      <td>{ends && `Ends ${inWords(ends, now)}`}</td>
      <td className="num phone:col-start-2 phone:row-start-1">
        {admin && (
          <Button size="small" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            Withdraw
          </Button>
        )}
      </td>
    </tr>
  );
}
