import { useQuery } from '@tanstack/react-query';
import { Clock, Ellipsis, Pencil, Search, Send } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { useState } from 'react';
import { NavLink } from 'react-router';
import { overview } from '../api/queries';
import { Dialog } from '../components/Dialog';
import { Icon, LanesIcon } from '../components/Icon';
import { count } from '../words/number';
import { AccountItems } from './Account';
import { MAIL, WORKSPACE } from './navigation';

/** On phones: the four places and, behind More, a sheet with the rest. */
export function TabBar({ onFind }: { onFind: () => void }) {
  const [more, setMore] = useState(false);
  const { data } = useQuery(overview);
  const attention = data?.attention ?? 0;
  return (
    <>
      <nav aria-label="Main" className="fixed inset-x-0 bottom-0 z-25 hidden grid-cols-5 border-t border-line bg-paper px-1 pt-1 pb-2.5 phone:grid">
        <Tab to="/campaigns" text="Campaigns" />
        <Tab to="/scheduled" text="Scheduled" icon={Clock} />
        <Tab to="/compose" text="Compose" icon={Pencil} />
        <Tab to="/sent" text="Sent" icon={Send} />
        <button type="button" onClick={() => setMore(true)} className={LOOK}>
          <Icon of={Ellipsis} className="size-5!" />
          {attention > 0 && (
            <span aria-label={`${attention} need attention`} className="absolute top-0 left-[56%] min-w-[15px] rounded-full bg-unsure px-1 text-[10px] leading-[15px] font-semibold text-paper">
              {count(attention)}
            </span>
          )}
          More
        </button>
      </nav>
      {more && <More onClose={() => setMore(false)} onFind={onFind} attention={attention} />}
    </>
  );
}

function More({ onClose, onFind, attention }: { onClose: () => void; onFind: () => void; attention: number }) {
  const places = [...MAIL.filter((place) => place.to === '/attention'), ...WORKSPACE];
  return (
    <Dialog title="More" onClose={onClose}>
      <div className="grid p-3">
        <button type="button" onClick={() => (onClose(), onFind())} className="flex h-11 items-center gap-3 rounded-2 px-2.5 text-14 hover:bg-hover">
          <Icon of={Search} /> Find
        </button>
        {places.map((place) => (
          <NavLink key={place.to} to={place.to} onClick={onClose} className="flex h-11 items-center gap-3 rounded-2 px-2.5 text-14 hover:bg-hover">
            {place.icon && <Icon of={place.icon} />} <span className="flex-1">{place.text}</span>
            {place.to === '/attention' && attention > 0 && <span className="font-semibold text-unsure-ink">{count(attention)}</span>}
          </NavLink>
        ))}
        <div role="menu" aria-label="Account" className="mt-2 grid border-t border-line pt-2">
          <AccountItems close={onClose} />
        </div>
      </div>
    </Dialog>
  );
}

const LOOK = 'relative grid justify-items-center gap-0.5 pt-1.5 pb-0.5 text-11 text-ink-3 aria-[current]:font-medium aria-[current]:text-ink';

function Tab({ to, text, icon }: { to: string; text: string; icon?: LucideIcon }) {
  return (
    <NavLink to={to} className={LOOK}>
      {icon ? <Icon of={icon} className="size-5!" /> : <LanesIcon className="size-5!" />}
      {text}
    </NavLink>
  );
}
