import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../api/client';
import type { Campaign } from '../../api/types';
import { MailFrame } from '../../components/MailFrame';
import { Segments } from '../../components/Segments';

/** What is sent, as its first recipient gets it. */
export function TemplatePart({ campaign }: { campaign: Campaign }) {
  const [part, setPart] = useState<'html' | 'text'>('html');
  const { data, error } = useQuery({
    queryKey: ['preview', campaign.id, campaign.template?.subject],
    queryFn: ({ signal }) => call('post', '/v1/campaigns:preview', { body: { campaignId: campaign.id }, signal }),
  });
  const shown = data?.html ? part : 'text';
  return (
    <div className="max-w-[720px] px-gutter py-5">
      <div className="mb-3 flex items-start gap-4">
        <div className="min-w-0 flex-1">
          <h2 className="text-14 font-semibold">{data?.subject ?? campaign.template?.subject}</h2>
          {data && (
            <p className="text-12 text-ink-3">
              {data.from} {data.recipient && `to ${data.recipient}`}
            </p>
          )}
        </div>
        {data?.html && data.text && <Segments label="Part" value={shown} of={[{ key: 'html', text: 'HTML' }, { key: 'text', text: 'Text' }]} onPick={setPart} />}
      </div>
      {data && <MailFrame html={data.html} text={data.text} part={shown} />}
      {error && <p className="text-ink-3">It cannot be shown now.</p>}
    </div>
  );
}
