import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../api/client';
import { Dialog } from '../../components/Dialog';
import { Field } from '../../components/Field';
import { useRested } from './useForecast';

/** A dialog has no room for more; who is not among them is searched for. */
const MOST = 8;

/** As whom the preview is: one of the recipients, by their address. */
export function AsDialog({ campaignId, onPick, onClose }: { campaignId: string; onPick: (messageId: string) => void; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const query = useRested(typed.trim(), 150);
  const { data, isPending } = useQuery({
    queryKey: ['messages', 'as', campaignId, query],
    queryFn: ({ signal }) => call('get', '/v1/messages', { query: { campaignId, query, order: 'MESSAGE_ORDER_CAMPAIGN', pageSize: MOST }, signal }),
    placeholderData: keepPreviousData,
  });
  const found = data?.messages ?? [];
  return (
    <Dialog title="Preview as whom?" onClose={onClose}>
      <div className="px-[22px] pt-2 pb-[18px]">
        <Field label="Address or domain" type="search" autoFocus value={typed} onChange={({ target }) => setTyped(target.value)} />
        <ul className="mt-2 grid">
          {found.map((message) => (
            <li key={message.id}>
              <button type="button" onClick={() => onPick(message.id)} className="h-9 w-full truncate rounded-2 px-2.5 text-left hover:bg-hover">
                {message.recipient}
              </button>
            </li>
          ))}
        </ul>
        {!isPending && found.length === 0 && <p className="mt-2 text-ink-3">No recipient begins with "{query}".</p>}
      </div>
    </Dialog>
  );
}
