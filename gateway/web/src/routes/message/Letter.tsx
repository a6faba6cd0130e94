import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { preview } from '../../api/queries';
import type { Message } from '../../api/types';
import { DrawerPart } from '../../components/Drawer';
import { MailFrame } from '../../components/MailFrame';
import { Segments } from '../../components/Segments';

/** The email as its recipient gets it; of what was sent, from the template as it is now. */
export function Letter({ message }: { message: Message }) {
  const [part, setPart] = useState<'html' | 'text'>('html');
  const { data, error } = useQuery(preview(message.campaignId, message.id));
  const shown = data?.html ? part : 'text';
  return (
    <DrawerPart
      title={message.state === 'MESSAGE_STATE_SENT' ? 'The email as sent' : 'The email'}
      last
      end={data?.html && data.text ? <Segments label="Part" value={shown} of={[{ key: 'html', text: 'HTML' }, { key: 'text', text: 'Text' }]} onPick={setPart} /> : undefined}
    >
      {error && <p className="text-ink-3">It cannot be shown now.</p>}
      {data && <MailFrame html={data.html} text={data.text} part={shown} />}
    </DrawerPart>
  );
}
