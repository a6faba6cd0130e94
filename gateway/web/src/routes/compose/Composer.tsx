import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { mailboxes as mailboxesQuery } from '../../api/queries';
import type { Draft } from '../../compose/draft';
import type { Plan } from '../../compose/plan';
import type { Recipients } from '../../compose/recipients';
import { isWaiting } from '../../compose/recipients';
import { unsettled } from '../../compose/settle';
import { missingBy, variablesOf } from '../../compose/sources';
import { agreed, neededIn, usedIn } from '../../compose/template';
import { useNow } from '../../useNow';
import { ComposeHead } from './ComposeHead';
import { Conflict } from './Conflict';
import { ForecastPanel } from './ForecastPanel';
import { From } from './From';
import { LazyWriting } from './LazyWriting';
import { Pace } from './Pace';
import { PhoneBar } from './PhoneBar';
import { PreviewPanel } from './PreviewPanel';
import { Refusal } from './Refusal';
import { Start } from './Start';
import { To } from './To';
import { useForecast } from './useForecast';
import { useSchedule } from './useSchedule';

/** The screen: the document at the left, its forecast and preview at the right. */
export function Composer({ draft, recipients }: { draft: Draft; recipients: Recipients }) {
  const { plan, saving, id } = useSyncExternalStore(draft.subscribe, () => draft.state);
  const list = useSyncExternalStore(recipients.subscribe, () => recipients.state);
  const { data: mailboxes = [] } = useQuery(mailboxesQuery);
  const now = useNow();
  const [allAt, setAllAt] = useState(false);
  const edit = (patch: Partial<Plan>) => {
    const { subject, html, text } = draft.state.plan;
    const isText = 'subject' in patch || 'html' in patch || 'text' in patch;
    draft.edit(isText ? { ...patch, ...agreed({ subject, html, text }, { subject, html, text, ...texts(patch) }) } : patch);
  };

  const hasMailbox = plan.mailboxIds.length > 0;
  useEffect(() => {
    if (hasMailbox) recipients.sendWaiting();
  }, [hasMailbox, recipients]);

  // Letters are drawn first; what is worked out from them may come a moment later.
  const calm = useDeferredValue(plan);
  const offered = useMemo(() => [...new Set([...variablesOf(list.sources), ...usedIn(calm.subject, calm.html, calm.text)])], [list.sources, calm]);
  const missing = useMemo(() => (list.sources.length > 0 ? missingBy(neededIn(calm.subject, calm.html, calm.text), list.sources) : new Map<string, number>()), [list.sources, calm]);
  const things = unsettled(calm, {
    recipients: Math.max(list.total, isWaiting(list) ? 1 : 0),
    importing: list.work !== undefined,
    importFailed: list.problem?.again !== undefined,
    missing,
    now,
  });
  const forecast = useForecast(plan, list.total);
  const schedule = useSchedule(draft, things, list.total, () => setAllAt(true));
  const asked = allAt ? things : [];
  const aside = (
    <>
      <ForecastPanel forecast={forecast} plan={plan} mailboxes={mailboxes} total={list.total} now={now} onEdit={edit} />
      <PreviewPanel campaignId={id} plan={calm} total={list.total} moved={list.work === undefined} />
    </>
  );
  return (
    <>
      <ComposeHead draft={draft} recipients={recipients} plan={plan} saving={saving} things={things} total={list.total} schedule={schedule} now={now} onEdit={edit} />
      <Conflict draft={draft} plan={plan} saving={saving} />
      <Refusal error={schedule.error} />
      <div className="mx-auto grid max-w-[1280px] gap-x-6 px-gutter min-[1180px]:grid-cols-[minmax(0,1fr)_404px] min-[1180px]:items-start phone:pb-20">
        <form aria-label="Campaign" onSubmit={(event) => event.preventDefault()} className="min-w-0">
          <From plan={plan} mailboxes={mailboxes} things={asked} onEdit={edit} />
          <To recipients={recipients} list={list} plan={plan} missing={missing} things={asked} hasMailbox={hasMailbox} onEdit={edit} />
          <LazyWriting plan={plan} variables={offered} things={asked} onEdit={edit} />
          <Start plan={plan} things={asked} now={now} onEdit={edit} />
          <Pace plan={plan} mailboxes={mailboxes} onEdit={edit} />
        </form>
        <aside aria-label="Forecast and preview" className="grid gap-4 mt-4 min-[1180px]:sticky min-[1180px]:top-4 min-[1180px]:max-h-[calc(100vh-32px)] min-[1180px]:overflow-y-auto phone:hidden">
          {aside}
        </aside>
      </div>
      <PhoneBar forecast={forecast} total={list.total} mailboxes={plan.mailboxIds.length} schedule={schedule} plan={plan} now={now}>
        {aside}
      </PhoneBar>
    </>
  );
}

function texts({ subject, html, text }: Partial<Plan>) {
  return { ...(subject === undefined ? {} : { subject }), ...(html === undefined ? {} : { html }), ...(text === undefined ? {} : { text }) };
}
