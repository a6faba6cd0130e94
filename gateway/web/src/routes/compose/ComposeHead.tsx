import { Check, ChevronRight, Ellipsis, Send, Trash2, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { call } from '../../api/client';
import { useAct } from '../../api/useAct';
import { Button } from '../../components/Button';
import { Confirm } from '../../components/Confirm';
import { Icon } from '../../components/Icon';
import { EnterShape, Key } from '../../components/Key';
import { Menu, MenuItem } from '../../components/Menu';
import { toast } from '../../components/Toasts';
import type { Draft, Saving } from '../../compose/draft';
import type { Plan } from '../../compose/plan';
import type { Recipients } from '../../compose/recipients';
import { thingsText } from '../../compose/settle';
import type { Thing } from '../../compose/settle';
import { MOD } from '../../shell/shortcuts';
import { counted } from '../../words/number';
import { Saved } from './Saved';
import { TestDialog } from './TestDialog';
import { lead } from './useSchedule';
import type { Schedule } from './useSchedule';
import { useTest } from './useTest';

interface ComposeHeadProps {
  draft: Draft;
  recipients: Recipients;
  plan: Plan;
  saving: Saving;
  things: readonly Thing[];
  total: number;
  schedule: Schedule;
  now: Date;
  onEdit: (patch: Partial<Plan>) => void;
}

const MAX_NAME = 200;

export function ComposeHead({ draft, recipients, plan, saving, things, total, schedule, now, onEdit }: ComposeHeadProps) {
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const test = useTest(draft);
  const title = plan.name.trim() || 'New campaign';
  useEffect(() => {
    document.title = `${title} · Maillane`;
  }, [title]);
  const leave = async () => {
    try {
      await draft.save();
      toast({ text: 'Saved as draft', mark: 'draft' });
      void navigate('/campaigns');
    } catch {
      // Beside the title stands why.
    }
  };
  const [first] = things;
  return (
    <header className="flex min-h-[66px] flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-gutter py-3 phone:min-h-14 phone:flex-nowrap">
      <div className="min-w-0 flex-1 basis-72">
        <nav aria-label="Where" className="mb-0.5 flex items-center gap-1.5 text-ink-3 phone:hidden">
          <Link to="/campaigns" className="hover:text-ink">
            Campaigns
          </Link>
          <Icon of={ChevronRight} small />
          <span>{draft.state.id ? 'Draft' : 'New campaign'}</span>
        </nav>
        <h1 className="sr-only">{title}</h1>
        <div className="flex items-center gap-2">
          <span className="relative inline-grid max-w-full min-w-0">
            <span aria-hidden="true" className="invisible overflow-hidden text-20 font-semibold tracking-[-0.018em] whitespace-pre">
              {plan.name || 'New campaign'}{' '}
            </span>
            <input
              value={plan.name}
              maxLength={MAX_NAME}
              placeholder="New campaign"
              aria-label="Campaign name"
              autoFocus={!draft.state.id}
              onChange={(event) => onEdit({ name: event.target.value.replace(/[\u0000-\u001f]/g, ' ') })}
              className="absolute inset-0 w-full min-w-0 truncate rounded-2 border-0 bg-transparent p-0 text-20 font-semibold tracking-[-0.018em] outline-none hover:bg-hover focus:bg-hover focus-visible:shadow-none"
            />
          </span>
          <Saved saving={saving} now={now} onRetry={() => void draft.save().catch(() => undefined)} />
        </div>
      </div>
      <div className="flex flex-wrap items-center gap-2 phone:flex-nowrap">
        {first ? (
          <button type="button" onClick={() => lead(first)} title={things.map(({ text }) => text).join('\n')} className="mr-1 flex h-control-small items-center gap-1.5 rounded-2 px-1.5 font-medium text-fail-ink hover:bg-hover">
            <Icon of={TriangleAlert} small /> <span className="phone:hidden">{thingsText(things.length)}</span>
            <span className="desk:hidden" aria-label={thingsText(things.length)}>
              {things.length}
            </span>
          </button>
        ) : (
          <span className="mr-1 flex items-center gap-1.5 text-ink-3 phone:hidden">
            <Icon of={Check} small /> Nothing to settle
          </span>
        )}
        <Button kind="quiet" busy={test.isBusy} onClick={test.run} className="phone:hidden">
          Send a test to me
        </Button>
        <Button onClick={() => void leave()} className="phone:hidden">
          Save as draft
        </Button>
        <Button kind="primary" busy={schedule.isBusy} onClick={schedule.run} className="phone:hidden">
          {verb(plan, now)} {total > 0 ? counted(total, 'email') : ''}
          <Key className="ml-1 border-current! bg-transparent! text-current! opacity-60">{MOD} <EnterShape /></Key>
        </Button>
        <Menu label="More" button={(props) => <Button kind="quiet" square aria-label="More" icon={<Icon of={Ellipsis} />} {...props} />}>
          {(close) => (
            <>
              <MenuItem icon={<Icon of={Send} />} onSelect={() => (close(), test.run())}>
                Send a test to me
              </MenuItem>
              <MenuItem icon={<Icon of={Check} />} onSelect={() => (close(), void leave())}>
                Save as draft
              </MenuItem>
              <MenuItem icon={<Icon of={Trash2} />} danger onSelect={() => (close(), setDeleting(true))}>
                Delete draft
              </MenuItem>
            </>
          )}
        </Menu>
      </div>
      {test.isAsking && <TestDialog test={test} />}
      {deleting && <Delete draft={draft} recipients={recipients} title={title} total={total} onClose={() => setDeleting(false)} />}
    </header>
  );
}

/** Send now, Schedule later. */
export function verb(plan: Plan, now: Date): string {
  return plan.startTime && new Date(plan.startTime) > now ? 'Schedule' : 'Send';
}

function Delete({ draft, recipients, title, total, onClose }: { draft: Draft; recipients: Recipients; title: string; total: number; onClose: () => void }) {
  const navigate = useNavigate();
  const remove = useAct({
    run: async () => {
      recipients.stop();
      const { id } = draft.state;
      draft.end();
      if (id) await call('delete', '/v1/campaigns/{campaign_id}', { path: { campaign_id: id } });
    },
    changes: ['campaigns', 'overview'],
    onDone: () => void navigate('/campaigns'),
    failed: 'Not deleted',
  });
  return (
    <Confirm title={`Delete "${title}"?`} verb="Delete draft" keep="Keep it" danger busy={remove.isPending} onConfirm={() => remove.mutate()} onClose={onClose}>
      {total > 0 ? `The text and ${counted(total, 'recipient')} are gone for good. ` : 'The text is gone for good. '}Nothing of it was sent.
    </Confirm>
  );
}
