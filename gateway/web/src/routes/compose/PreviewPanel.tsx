import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, ChevronsUpDown } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client';
import { because } from '../../api/useAct';
import { Button } from '../../components/Button';
import { classes } from '../../components/classes';
import { Face } from '../../components/Face';
import { Icon } from '../../components/Icon';
import { MailFrame } from '../../components/MailFrame';
import { Panel } from '../../components/Panel';
import { Segments } from '../../components/Segments';
import type { Plan } from '../../compose/plan';
import { placeholders } from '../../compose/template';
import { count } from '../../words/number';
import { AsDialog } from './AsDialog';
import { useRested } from './useForecast';

/** After the last key. */
const AFTER_MS = 250;

/** The message as one recipient gets it. `moved`: the list may be another than before. */
export function PreviewPanel({ campaignId, plan, total, moved }: { campaignId: string | undefined; plan: Plan; total: number; moved: boolean }) {
  const [index, setIndex] = useState(0);
  const [message, setMessage] = useState<{ campaignId: string | undefined; id: string }>();
  const [isChoosing, setChoosing] = useState(false);
  const [part, setPart] = useState<'html' | 'text'>('html');
  const template = { subject: plan.subject, html: plan.html, text: plan.text };
  const place = Math.min(index, Math.max(0, total - 1));
  const chosen = message && message.campaignId === campaignId ? message.id : undefined;
  const asked = useRested({ campaignId, template, mailboxId: plan.mailboxIds[0] ?? '', place, chosen, total }, AFTER_MS);
  // The API refuses half a variable: what was asked last stays until it is whole.
  const isWhole = Object.values(asked.template).every((text) => placeholders(text).wrongAt === undefined);
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: ['preview', 'plan', asked],
    queryFn: ({ signal }) => {
      const hasRecipients = asked.campaignId !== undefined && asked.total > 0;
      const as = !hasRecipients ? { sample: { email: '', variables: {} } } : asked.chosen ? { messageId: asked.chosen } : { index: asked.place };
      return call('post', '/v1/campaigns:preview', { body: { ...(asked.campaignId ? { campaignId: asked.campaignId } : {}), ...(asked.chosen ? {} : { mailboxId: asked.mailboxId }), template: asked.template, ...as }, signal });
    },
    enabled: moved && isWhole && (asked.template.subject !== '' || asked.template.html !== '' || asked.template.text !== ''),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  const step = (by: number) => {
    setMessage(undefined);
    setIndex((place + by + total) % total);
  };
  return (
    <Panel
      title="Preview"
      end={
        <span className="flex items-center gap-1">
          <Segments label="Part" value={part} of={[{ key: 'html', text: 'HTML' }, { key: 'text', text: 'Text' }]} onPick={setPart} />
          {total > 0 && (
            <>
              <Button kind="quiet" size="small" square aria-label="Previous recipient" disabled={total < 2} icon={<Icon of={ChevronLeft} small />} onClick={() => step(-1)} />
              <span className="text-ink-3">{chosen ? 'picked' : `${count(place + 1)} of ${count(total)}`}</span>
              <Button kind="quiet" size="small" square aria-label="Next recipient" disabled={total < 2} icon={<Icon of={ChevronRight} small />} onClick={() => step(1)} />
            </>
          )}
        </span>
      }
    >
      <div className={classes('px-4 pt-2.5 pb-4', isPlaceholderData && 'opacity-60')}>
        {total > 0 && data?.recipient && campaignId && (
          <button type="button" aria-haspopup="dialog" onClick={() => setChoosing(true)} className="mb-2.5 flex h-control w-full items-center gap-2 rounded-2 border border-line-2 px-2 text-left hover:bg-hover">
            <Face name={data.recipient} small />
            <span className="min-w-0 flex-1 truncate">
              <span className="text-ink-3">as</span> <b>{data.recipient}</b>
            </span>
            <Icon of={ChevronsUpDown} small className="text-ink-3" />
          </button>
        )}
        {!isWhole ? (
          <p className="text-ink-3">A variable is not complete yet.</p>
        ) : error && !data ? (
          <p className="text-ink-3">No preview: {because(error)}</p>
        ) : data && (data.subject || data.html || data.text) ? (
          <>
            <p className="font-semibold break-words">{data.subject || '(no subject)'}</p>
            {data.from && <p className="mb-2 truncate text-12 text-ink-3">{data.from}</p>}
            <MailFrame html={data.html} text={data.text} part={part} />
            {data.missing.length > 0 && total > 0 && <p className="mt-2 text-12 text-fail-ink">Without a value: {data.missing.join(', ')}.</p>}
          </>
        ) : (
          <p className="text-ink-3">What you write is here as its recipient gets it.</p>
        )}
      </div>
      {isChoosing && campaignId && (
        <AsDialog
          campaignId={campaignId}
          onClose={() => setChoosing(false)}
          onPick={(id) => {
            setMessage({ campaignId, id });
            setChoosing(false);
          }}
        />
      )}
    </Panel>
  );
}
