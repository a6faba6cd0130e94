import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { call } from '../../api/client';
import { toast } from '../../components/Toasts';
import type { Draft } from '../../compose/draft';
import type { Thing } from '../../compose/settle';
import { placeholders } from '../../compose/template';
import { useKeys } from '../../shell/shortcuts';
import { counted } from '../../words/number';
import { date, day } from '../../words/time';

const MAX_NAME = 200;

/** Starts the draft, or leads to what it lacks. */
export function useSchedule(draft: Draft, things: readonly Thing[], total: number, onAsked: () => void) {
  const navigate = useNavigate();
  const cache = useQueryClient();
  const start = useMutation({
    mutationFn: async () => {
      if (!draft.state.plan.name.trim()) draft.edit({ name: nameOf(draft.state.plan.subject) });
      const id = await draft.save();
      return call('post', '/v1/campaigns/{campaign_id}:start', { path: { campaign_id: id } });
    },
    onSuccess: (started) => {
      draft.end();
      for (const key of ['campaigns', 'campaign', 'overview', 'messages']) void cache.invalidateQueries({ queryKey: [key] });
      const at = date(started.startTime);
      const now = new Date();
      toast({ text: at && at > now ? `Scheduled: ${counted(total, 'email')} from ${day(at, now)}` : `${counted(total, 'email')} on their way`, mark: 'scheduled' });
      void navigate(`/campaigns/${started.id}`);
    },
  });
  const run = () => {
    if (start.isPending) return;
    const [first] = things;
    if (!first) return start.mutate();
    onAsked();
    lead(first);
  };
  useKeys({ 'mod+Enter': run, 'mod+enter': run });
  return { run, isBusy: start.isPending, error: start.error };
}

export type Schedule = ReturnType<typeof useSchedule>;

/** Shows where a thing is settled, and puts the focus there. */
export function lead({ place, variable }: Thing): void {
  const target = (variable && document.getElementById(`fallback-${variable}`)) || document.getElementById(place) || document.getElementById('to');
  if (!target) return;
  target.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  const inside = target.matches('button, input, [contenteditable]') ? target : target.querySelector<HTMLElement>('button, input, [contenteditable]');
  (inside ?? target).focus({ preventScroll: true });
}

/** A campaign without a name has its subject's words. */
function nameOf(subject: string): string {
  let [name, at] = ['', 0];
  for (const { name: variable, start, end } of placeholders(subject).found) {
    name += subject.slice(at, start) + variable;
    at = end;
  }
  return (name + subject.slice(at)).trim().slice(0, MAX_NAME) || 'Campaign';
}
