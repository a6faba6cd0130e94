import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Check, ChevronsUpDown, LogOut, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client';
import { identity } from '../api/queries';
import { because } from '../api/useAct';
import { Face } from '../components/Face';
import { Icon } from '../components/Icon';
import { Menu, MenuItem, MenuLine } from '../components/Menu';
import { toast } from '../components/Toasts';
import { signOut } from './session';
import { isDark, setDark } from './theme';

/** Who is signed in, and their workspaces, theme and sign-out. */
export function Account() {
  const { data } = useQuery(identity);
  const name = data?.user?.name || data?.user?.email || data?.token?.name || '';
  return (
    <Menu
      label="Account"
      place="below-left"
      button={(props) => (
        <button
          type="button"
          {...props}
          className="flex min-h-11 w-full items-center gap-2.25 rounded-[8px] p-1.5 text-left hover:bg-press narrow:justify-center narrow:p-0"
        >
          <Face name={name || '?'} picture={data?.user?.picture} />
          <span className="sr-only">Account:</span>
          <span className="min-w-0 flex-1 narrow:sr-only">
            <strong className="block truncate leading-4">{name || '…'}</strong>
            <small className="block truncate text-12 text-ink-3">{data?.user?.email ?? data?.workspace?.name}</small>
          </span>
          <Icon of={ChevronsUpDown} className="text-ink-3 narrow:hidden" />
        </button>
      )}
    >
      {(close) => <AccountItems close={close} />}
    </Menu>
  );
}

export function AccountItems({ close }: { close: () => void }) {
  const cache = useQueryClient();
  const { data } = useQuery(identity);
  const [dark, setShown] = useState(isDark());
  const open = async (workspaceId: string) => {
    close();
    try {
      await call('post', '/v1/workspace:switch', { body: { workspaceId } });
      cache.clear();
      location.assign('/campaigns');
    } catch (error) {
      toast({ text: `Not switched: ${because(error)}`, failed: true });
    }
  };
  return (
    <>
      {(data?.workspaces ?? []).map((workspace) => (
        <MenuItem key={workspace.id} onSelect={() => void open(workspace.id)} end={workspace.id === data?.workspace?.id && <Icon of={Check} className="text-mail" />}>
          {workspace.name}
        </MenuItem>
      ))}
      {(data?.workspaces.length ?? 0) > 0 && <MenuLine />}
      <MenuItem
        icon={<Icon of={dark ? Sun : Moon} className="text-ink-3" />}
        onSelect={() => {
          setDark(!dark);
          setShown(!dark);
        }}
      >
        {dark ? 'Light theme' : 'Dark theme'}
      </MenuItem>
      {data?.user && (
        <MenuItem icon={<Icon of={LogOut} className="text-ink-3" />} onSelect={() => void signOut().catch((error: unknown) => toast({ text: `Not signed out: ${because(error)}`, failed: true }))}>
          Sign out
        </MenuItem>
      )}
    </>
  );
}
