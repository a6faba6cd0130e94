import { useState } from 'react';
import { Dialog } from '../components/Dialog';
import { EnterShape, Key } from '../components/Key';
import { MOD, setSingleKeys, singleKeysOn } from './shortcuts';

const LIST: readonly [string, readonly string[]][] = [
  ['Compose', ['C']],
  ['Down, up', ['J', 'K']],
  ['Find anything', [MOD, 'K']],
  ['Open', ['↵']],
  ['Find in this list', ['/']],
  ['Select, a range', ['X', '⇧X']],
  ['Campaigns', ['G', 'C']],
  ['Pause, resume', ['P']],
  ['Scheduled', ['G', 'S']],
  ['Previous, next in the drawer', ['[', ']']],
  ['Sent', ['G', 'T']],
  ['Edit', ['E']],
  ['Needs attention', ['G', 'A']],
  ['Close, back', ['esc']],
  ['Mailboxes', ['G', 'M']],
  ['This sheet', ['?']],
  ['Send again (asks)', ['R']],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(singleKeysOn());
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="grid grid-cols-2 gap-x-7 gap-y-2.25 px-[22px] pt-3 pb-4 phone:grid-cols-1">
        {LIST.map(([what, keys]) => (
          <div key={what} className="flex items-center justify-between gap-2">
            <dt className="text-ink-2">{what}</dt>
            <dd className="flex flex-none gap-[3px]">
              {keys.map((key) => (
                <Key key={key}>{key === '↵' ? <EnterShape /> : key}</Key>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label className="flex items-center gap-2 border-t border-line px-[22px] py-3 text-ink-2">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setSingleKeys(event.target.checked);
            setOn(event.target.checked);
          }}
        />
        Single keys act (they rest while you type)
      </label>
    </Dialog>
  );
}
