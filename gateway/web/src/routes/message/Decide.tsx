import { useState } from 'react';
import type { Message } from '../../api/types';
import { Button } from '../../components/Button';
import { ResolveDialog } from '../attention/ResolveDialog';
import type { Resolution } from '../attention/useResolve';

/** What a person can make of an unconfirmed email. */
export function Decide({ message }: { message: Message }) {
  const [asked, setAsked] = useState<Resolution | undefined>();
  return (
    <div className="mt-3 flex gap-2">
      <Button size="small" onClick={() => setAsked('RESOLUTION_ACCEPT')}>
        Count as sent
      </Button>
      <Button size="small" onClick={() => setAsked('RESOLUTION_RESEND')}>
        Send again…
      </Button>
      {asked && <ResolveDialog messages={[message]} resolution={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}
