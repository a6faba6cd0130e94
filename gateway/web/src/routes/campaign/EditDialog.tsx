import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { call } from '../../api/client';
import { ApiError } from '../../api/error';
import { because, useAct } from '../../api/useAct';
import type { Campaign } from '../../api/types';
import { Button } from '../../components/Button';
import { classes } from '../../components/classes';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { Note } from '../../components/Note';
import { toast } from '../../components/Toasts';
import { useNow } from '../../useNow';
import { counted } from '../../words/number';
import { date, day, seconds } from '../../words/time';

/** What can be changed while it runs: name and pace, with the new end before it is saved. */
export function EditDialog({ campaign, onClose }: { campaign: Campaign; onClose: () => void }) {
  const [name, setName] = useState(campaign.name);
  const [delay, setDelay] = useState(String(seconds(campaign.delay)));
  const [limit, setLimit] = useState(campaign.hourlyLimit ? String(campaign.hourlyLimit) : '');
  const plan = { delay: `${Number(delay) || 0}s`, hourlyLimit: limit ? Number(limit) : undefined };
  const changed = name !== campaign.name || Number(delay) !== seconds(campaign.delay) || (Number(limit) || undefined) !== campaign.hourlyLimit;
  const save = useAct({
    changes: ['campaign', 'campaigns', 'forecast', 'usage', 'messages', 'audit'],
    run: () =>
      call('patch', '/v1/campaigns/{campaign_id}', { path: { campaign_id: campaign.id }, body: { name, ...plan }, mask: ['name', 'delay', 'hourlyLimit'] }),
    onDone: () => (toast({ text: 'Saved. What has not left is planned anew' }), onClose()),
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog
      title={`Edit "${campaign.name}"`}
      onClose={onClose}
      dirty={changed}
      buttons={
        <>
          <Button kind="quiet" onClick={onClose}>
            Back
          </Button>
          <Button kind="primary" type="submit" form="edit" busy={save.isPending} disabled={!changed}>
            Save
          </Button>
        </>
      }
    >
      <form id="edit" onSubmit={submit} className="grid gap-3.5 px-[22px] pt-3 pb-4.5">
        <Field label="Name" value={name} maxLength={200} onChange={(event) => setName(event.target.value)} error={fields['campaign.name'] ?? fields['name']} />
        <div className="grid grid-cols-2 gap-2.5">
          <Field label="Delay between emails" inputMode="decimal" value={delay} unit="seconds" onChange={(event) => setDelay(event.target.value)} error={fields['campaign.delay'] ?? fields['delay']} hint="In each mailbox" />
          <Field label="Limit of this campaign" inputMode="numeric" value={limit} placeholder="None" unit="an hour" onChange={(event) => setLimit(event.target.value)} error={fields['campaign.hourlyLimit'] ?? fields['hourlyLimit']} />
        </div>
        <NewEnd campaign={campaign} plan={plan} changed={changed} />
        {save.error && Object.keys(fields).length === 0 && (
          <Note tone="fail">
            <b>Not saved.</b> {because(save.error)}
          </Note>
        )}
      </form>
    </Dialog>
  );
}

function NewEnd({ campaign, plan, changed }: { campaign: Campaign; plan: { delay: string; hourlyLimit: number | undefined }; changed: boolean }) {
  const now = useNow(10_000);
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['forecast', campaign.id, plan],
    enabled: changed,
    queryFn: ({ signal }) => call('post', '/v1/campaigns:forecast', { body: { campaignId: campaign.id, campaign: plan }, signal }),
    placeholderData: (before) => before,
    retry: false,
  });
  const before = date(campaign.expectedEndTime);
  const end = changed ? date(data?.lastTime) : before;
  const left = counted(campaign.counts?.pending ?? 0, 'email is', 'emails are');
  const was = changed && before ? day(before, now) : '';
  const instead = !was ? '' : end && day(end, now) === was ? ', as before' : ` instead of ${was}`;
  return (
    <p aria-live="polite" className={classes('text-ink-2', isPlaceholderData && 'opacity-60')}>
      {left} still to go. {end ? `They end ${day(end, now)}${instead}, as things stand.` : error || data ? 'When they end with this pace is not known.' : ''}
    </p>
  );
}
