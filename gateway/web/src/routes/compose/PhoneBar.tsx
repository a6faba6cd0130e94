import { ChevronUp } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Icon } from '../../components/Icon';
import type { Plan } from '../../compose/plan';
import { counted } from '../../words/number';
import { date, when } from '../../words/time';
import { verb } from './ComposeHead';
import type { ForecastAnswer } from './useForecast';
import type { Schedule } from './useSchedule';

interface PhoneBarProps {
  forecast: ForecastAnswer;
  total: number;
  mailboxes: number;
  schedule: Schedule;
  plan: Plan;
  now: Date;
  children: ReactNode;
}

/** On phones: the forecast in a line, which opens it, and the way out. In the place of the other bar. */
export function PhoneBar({ forecast: { data }, total, mailboxes, schedule, plan, now, children }: PhoneBarProps) {
  const [isOpen, setOpen] = useState(false);
  const [first, last] = [date(data?.firstTime), date(data?.lastTime)];
  return (
    <div className="fixed inset-x-0 bottom-0 z-26 hidden items-center gap-3 border-t border-line bg-paper px-gutter pt-2 pb-3 phone:flex">
      <button type="button" aria-haspopup="dialog" onClick={() => setOpen(true)} className="flex min-w-0 flex-1 items-center gap-2.5 text-left">
        <Icon of={ChevronUp} />
        <span className="min-w-0">
          <b className="block truncate">{first && last ? `${when(first, now)} to ${when(last, now)}` : 'Forecast and preview'}</b>
          <small className="block truncate text-12 text-ink-3">
            {counted(total, 'email')}, {counted(mailboxes, 'mailbox', 'mailboxes')}
          </small>
        </span>
      </button>
      <Button kind="primary" busy={schedule.isBusy} onClick={schedule.run}>
        {verb(plan, now)}
      </Button>
      {isOpen && (
        <Dialog title="Forecast and preview" onClose={() => setOpen(false)}>
          <div className="grid gap-3 p-4">{children}</div>
        </Dialog>
      )}
    </div>
  );
}
