import { useQuery } from '@tanstack/react-query';
import { Moon, Pencil, Search, Sun } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { call } from '../api/client';
import { classes } from '../components/classes';
import { Face } from '../components/Face';
import { Icon, LanesIcon } from '../components/Icon';
import { Key } from '../components/Key';
import { stateOfMessage } from '../words/message';
import { MAIL, WORKSPACE } from './navigation';
import { isDark, setDark } from './theme';

interface Found {
  key: string;
  group: string;
  text: string;
  more?: string;
  icon: ReactNode;
  run: () => void;
}

/** After the last key, before the server is asked. */
const PAUSE_MS = 150;
const EACH = 5;

/** Finds recipients, campaigns and actions from wherever one is. */
export function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useFound(text.trim());
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => setAt(0), [text]);
  const pick = (one: Found | undefined) => {
    if (!one) return;
    onClose();
    one.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((at + step + found.length) % Math.max(found.length, 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      pick(found[at]);
    }
  };
  return (
    <dialog
      ref={dialog}
      aria-label="Find anything"
      onClose={onClose}
      onMouseDown={(event) => event.target === dialog.current && onClose()}
      className="mx-auto mt-[12vh] mb-auto max-h-[70vh] w-[560px] max-w-[calc(100vw-32px)] overflow-auto rounded-4 bg-raised p-0 text-ink shadow-3 backdrop:bg-scrim"
    >
      <div className="flex h-11.5 items-center gap-2.5 border-b border-line pr-3.5 pl-4 text-ink-3">
        <Icon of={Search} />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found[at] && `palette-${at}`}
          aria-label="Find recipients, campaigns and actions"
          placeholder="Find recipients, campaigns and actions"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="min-w-0 flex-1 border-0 bg-transparent text-14 text-ink outline-none shadow-none! phone:text-16"
        />
        <Key>esc</Key>
      </div>
      <div id="palette-list" role="listbox" aria-label="Found" className="p-1.5">
        {found.map((one, place) => (
          <div key={one.key} role="presentation">
            {one.group !== found[place - 1]?.group && (
              <p role="presentation" className="flex h-6.5 items-center px-2.5 text-12 text-ink-3">
                {one.group}
              </p>
            )}
            <div
              id={`palette-${place}`}
              role="option"
              aria-selected={place === at}
              onMouseMove={() => setAt(place)}
              onClick={() => pick(one)}
              className={classes('flex h-8.5 cursor-pointer items-center gap-2.5 rounded-2 px-2.5', place === at && 'bg-press')}
            >
              <span className="grid w-5 place-items-center text-ink-3">{one.icon}</span>
              <span className="min-w-0 flex-1 truncate">{marked(one.text, text.trim())}</span>
              <small className="text-12 text-ink-3">{one.more}</small>
            </div>
          </div>
        ))}
        {found.length === 0 && <p className="px-2.5 py-3 text-ink-3">Nothing by this name.</p>}
      </div>
    </dialog>
  );
}

function useFound(text: string): Found[] {
  const navigate = useNavigate();
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { data } = useQuery({
    queryKey: ['palette', asked],
    enabled: asked.length >= 2,
    queryFn: async ({ signal }) => {
      const [messages, campaigns] = await Promise.all([
        call('get', '/v1/messages', { query: { query: asked, pageSize: EACH }, signal }),
        call('get', '/v1/campaigns', { query: { query: asked, pageSize: EACH }, signal }),
      ]);
      return { messages: messages.messages, campaigns: campaigns.campaigns };
    },
  });
  const go = (to: string) => () => void navigate(to);
  const known = asked.length >= 2 && text.length >= 2 ? data : undefined;
  const recipients = (known?.messages ?? []).map((message) => ({
    key: `m${message.id}`,
    group: 'Recipients',
    text: message.recipientName ? `${message.recipientName}, ${message.recipient}` : message.recipient,
    more: stateOfMessage(message).text.toLowerCase(),
    icon: <Face small name={message.recipientName || message.recipient} />,
    run: go(`/campaigns/${message.campaignId}?message=${message.id}`),
  }));
  const campaigns = (known?.campaigns ?? []).map((campaign) => ({
    key: `c${campaign.id}`,
    group: 'Campaigns',
    text: campaign.name || 'Without a name',
    more: campaign.state.replace('CAMPAIGN_STATE_', '').toLowerCase(),
    icon: <LanesIcon />,
    run: go(`/campaigns/${campaign.id}`),
  }));
  const dark = isDark();
  const actions: Found[] = [
    { key: 'compose', group: 'Do', text: 'Compose', icon: <Icon of={Pencil} />, run: go('/compose') },
    { key: 'theme', group: 'Do', text: dark ? 'Light theme' : 'Dark theme', icon: <Icon of={dark ? Sun : Moon} />, run: () => setDark(!dark) },
    ...[...MAIL, ...WORKSPACE].map((place) => ({ key: place.to, group: 'Go to', text: place.text, icon: place.icon ? <Icon of={place.icon} /> : <LanesIcon />, run: go(place.to) })),
  ];
  const wanted = text.toLowerCase();
  return [...recipients, ...campaigns, ...actions.filter((action) => action.text.toLowerCase().includes(wanted))];
}

function marked(text: string, wanted: string): ReactNode {
  const begin = wanted ? text.toLowerCase().indexOf(wanted.toLowerCase()) : -1;
  if (begin < 0) return text;
  const end = begin + wanted.length;
  return (
    <>
      {text.slice(0, begin)}
      <mark className="bg-transparent font-semibold text-mail-ink">{text.slice(begin, end)}</mark>
      {text.slice(end)}
    </>
  );
}
