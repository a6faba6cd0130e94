import { Copy, Download, Ellipsis, Pause, Pencil, Play, X } from 'lucide-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import type { Campaign } from '../../api/types';
import { Button } from '../../components/Button';
import { Confirm } from '../../components/Confirm';
import { Icon } from '../../components/Icon';
import { Menu, MenuItem } from '../../components/Menu';
import { toast } from '../../components/Toasts';
import { useKeys } from '../../shell/shortcuts';
import { count, counted } from '../../words/number';

const CHANGES = ['campaign', 'campaigns', 'forecast', 'messages', 'overview', 'audit'];

/** Pause, resume, edit, duplicate, cancel. */
export function CampaignActions({ campaign, onEdit }: { campaign: Campaign; onEdit: () => void }) {
  const navigate = useNavigate();
  const [cancelling, setCancelling] = useState(false);
  const path = { campaign_id: campaign.id };
  const active = campaign.state === 'CAMPAIGN_STATE_ACTIVE';
  const paused = campaign.state === 'CAMPAIGN_STATE_PAUSED';
  const resume = useAct({
    changes: CHANGES,
    failed: 'Not resumed',
    run: () => call('post', '/v1/campaigns/{campaign_id}:resume', { path, body: {} as never }),
    onDone: () => toast({ text: 'Resumed. What fell behind leaves at the usual pace', mark: 'sending' }),
  });
  const pause = useAct({
    changes: CHANGES,
    failed: 'Not paused',
    run: () => call('post', '/v1/campaigns/{campaign_id}:pause', { path, body: {} as never }),
    onDone: (now) =>
      toast({
        text: 'Paused. No email leaves any more',
        mark: 'paused',
        action: { text: 'Undo', run: () => resume.mutate() },
        ...((now.counts?.sending ?? 0) > 0 ? { more: `${count(now.counts?.sending ?? 0)} were already on their way` } : {}),
      }),
  });
  const duplicate = useAct({
    changes: ['campaigns'],
    failed: 'Not duplicated',
    run: () => {
      const { name, mailboxIds, template, delay, hourlyLimit, unconfirmedPolicy, moveAfter } = campaign;
      return call('post', '/v1/campaigns', { body: { name: `${name}, again`.slice(0, 200), mailboxIds, template, delay, hourlyLimit, unconfirmedPolicy, moveAfter } });
    },
    onDone: (copy) => void navigate(`/compose/${copy.id}`),
  });
  const toggle = () => (active ? pause.mutate() : paused && resume.mutate());
  useKeys({ p: toggle, e: () => (active || paused) && onEdit() });
  return (
    <>
      {active && (
        <Button icon={<Icon of={Pause} />} busy={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </Button>
      )}
      {paused && (
        <Button kind="primary" icon={<Icon of={Play} />} busy={resume.isPending} onClick={() => resume.mutate()}>
          Resume
        </Button>
      )}
      {(active || paused) && (
        <Button className="phone:hidden" icon={<Icon of={Pencil} />} onClick={onEdit}>
          Edit
        </Button>
      )}
      <Button className="phone:hidden" icon={<Icon of={Copy} />} busy={duplicate.isPending} onClick={() => duplicate.mutate()}>
        Duplicate
      </Button>
      <Menu label="More" button={(props) => <Button square aria-label="More: cancel, export" icon={<Icon of={Ellipsis} />} {...props} />}>
        {(close) => (
          <>
            {(active || paused) && (
              <MenuItem icon={<Icon of={Pencil} />} onSelect={() => (close(), onEdit())}>
                Edit
              </MenuItem>
            )}
            <MenuItem icon={<Icon of={Copy} />} onSelect={() => (close(), duplicate.mutate())}>
              Duplicate
            </MenuItem>
            <MenuItem icon={<Icon of={Download} />} onSelect={() => (close(), location.assign(`/v1/messages:export?campaignId=${encodeURIComponent(campaign.id)}`))}>
              Export CSV
            </MenuItem>
            {(active || paused) && (
              <MenuItem danger icon={<Icon of={X} />} onSelect={() => (close(), setCancelling(true))}>
                Cancel…
              </MenuItem>
            )}
          </>
        )}
      </Menu>
      {cancelling && <Cancel campaign={campaign} onPause={active ? () => pause.mutate() : undefined} onClose={() => setCancelling(false)} />}
    </>
  );
}

function Cancel({ campaign, onPause, onClose }: { campaign: Campaign; onPause: (() => void) | undefined; onClose: () => void }) {
  const { pending = 0, sent = 0, sending = 0 } = campaign.counts ?? {};
  const cancel = useAct({
    changes: CHANGES,
    failed: 'Not cancelled',
    run: () => call('post', '/v1/campaigns/{campaign_id}:cancel', { path: { campaign_id: campaign.id }, body: {} as never }),
    onDone: onClose,
  });
  return (
    <Confirm
      danger
      title={`Cancel "${campaign.name}"?`}
      keep="Keep it"
      verb={`Cancel ${counted(pending, 'email')}`}
      busy={cancel.isPending}
      instead={
        onPause && (
          <Button onClick={() => (onClose(), onPause())}>Pause instead</Button>
        )
      }
      onConfirm={() => cancel.mutate()}
      onClose={onClose}
    >
      {counted(pending, 'email')} will never be sent. {sent > 0 && `${count(sent)} ${sent === 1 ? 'has' : 'have'} been sent and ${sent === 1 ? 'stays as it is' : 'stay as they are'}. `}
      {sending > 0 && `${count(sending)} ${sending === 1 ? 'is on its' : 'are on their'} way and cannot be stopped. `}
      This cannot be undone. {onPause && 'To stop for a while, pause instead.'}
    </Confirm>
  );
}
