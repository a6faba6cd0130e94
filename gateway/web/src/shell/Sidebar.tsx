import { useQuery } from '@tanstack/react-query';
import { Pencil, Search } from 'lucide-react';
import { Link, NavLink } from 'react-router';
import { identity, overview } from '../api/queries';
import type { Overview } from '../api/types';
import { BrandMark, Wordmark } from '../components/Brand';
import { classes } from '../components/classes';
import { Icon, LanesIcon } from '../components/Icon';
import { Key } from '../components/Key';
import { Account } from './Account';
import { fetchComposer } from './ahead';
import { MAIL, WORKSPACE } from './navigation';
import type { Place } from './navigation';
import { MOD } from './shortcuts';
import { ThisHour } from './ThisHour';

export function Sidebar({ onFind, onKeys }: { onFind: () => void; onKeys: () => void }) {
  const { data: counts } = useQuery(overview);
  const { data: who } = useQuery(identity);
  return (
    <nav aria-label="Main" className="sticky top-0 flex h-screen flex-col gap-2 overflow-auto border-r border-line bg-desk px-3 pt-3.5 pb-3 phone:hidden">
      <div className="flex items-center justify-between pb-0.5 pl-1.5">
        <Link to="/campaigns" aria-label="Maillane" className="inline-flex items-center gap-2.25">
          <BrandMark />
          <Wordmark className="narrow:hidden" />
        </Link>
        <button type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={onKeys} className="grid size-8 place-items-center rounded-2 font-medium text-ink-2 hover:bg-press narrow:hidden">
          ?
        </button>
      </div>
      <Account />
        <Link to="/compose" title="Compose (C)" onPointerEnter={fetchComposer} onFocus={fetchComposer} className="mt-0.5 flex h-control items-center gap-1.75 rounded-2 bg-ink px-2.5 font-medium text-on-ink shadow-1 hover:opacity-90 narrow:justify-center narrow:px-0">
          <Icon of={Pencil} />
          <span className="flex-1 narrow:sr-only">Compose</span>
          <kbd className="h-[18px] min-w-[18px] rounded-[4px] border border-current px-1 text-center font-sans text-11 leading-4 opacity-60 narrow:hidden">C</kbd>
        </Link>
        <button type="button" onClick={onFind} title={`Find (${MOD} K)`} className="flex h-7.5 items-center gap-2 rounded-2 pr-2 pl-2.5 text-ink-3 hover:bg-press narrow:justify-center narrow:px-0">
          <Icon of={Search} />
          <span className="flex-1 text-left narrow:sr-only">Find</span>
          <Key className="narrow:hidden">{MOD}</Key>
          <Key className="narrow:hidden">K</Key>
        </button>
        <ul>
          {MAIL.map((place) => (
            <Item key={place.to} place={place} counts={counts} />
          ))}
        </ul>
        <h2 className="truncate px-2 pt-2.5 text-12 font-medium text-ink-3 narrow:hidden">{who?.workspace?.name}</h2>
        <ul>
          {WORKSPACE.map((place) => (
            <Item key={place.to} place={place} counts={counts} />
          ))}
        </ul>
      <ThisHour hours={counts?.thisHour ?? []} />
    </nav>
  );
}

function Item({ place, counts }: { place: Place; counts: Overview | undefined }) {
  const badge = counts && place.badge?.(counts);
  return (
    <li>
      <NavLink
        to={place.to}
        title={place.text}
        className="relative flex h-7.5 items-center gap-2.5 rounded-2 pr-2 pl-2.5 font-medium text-ink-2 hover:bg-press hover:text-ink aria-[current]:bg-press aria-[current]:text-ink narrow:justify-center narrow:px-0"
      >
        {place.icon ? <Icon of={place.icon} /> : <LanesIcon />}
        <span className="flex-1 narrow:sr-only">{place.text}</span>
        {badge && <Count text={badge} hot={place.hot ?? false} />}
      </NavLink>
    </li>
  );
}

export function Count({ text, hot }: { text: string; hot: boolean }) {
  return (
    <span
      className={classes(
        'text-12 font-normal',
        hot
          ? 'min-w-[19px] rounded-full bg-unsure-bg px-1.25 text-center leading-[18px] font-semibold text-unsure-ink shadow-[inset_0_0_0_1px_var(--color-unsure-line)] narrow:absolute narrow:top-0 narrow:right-0 narrow:scale-75'
          : 'text-ink-3 narrow:hidden',
      )}
    >
      {text}
    </span>
  );
}
