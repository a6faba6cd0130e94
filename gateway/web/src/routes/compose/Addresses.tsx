import { useState } from 'react';
import { Chip } from '../../components/Chip';
import type { Recipients } from '../../compose/recipients';
import { reasonWords } from '../../compose/sources';
import type { Source } from '../../compose/sources';

/** Addresses that are typed or pasted, as chips; one that was not taken says why. */
export function Addresses({ sources, recipients, hasFiles, describedBy }: { sources: readonly Source[]; recipients: Recipients; hasFiles: boolean; describedBy: string | undefined }) {
  const [typed, setTyped] = useState('');
  const [isWrong, setWrong] = useState(false);
  const chips = sources.flatMap((source) => (source.kind === 'typed' ? source.addresses.map((address) => ({ address, why: source.result?.rejected.find(({ value }) => value === address)?.reason })) : []));
  const take = (text: string) => {
    if (!text.trim()) return setWrong(false);
    const isTaken = recipients.addText(text);
    setWrong(!isTaken);
    if (isTaken) setTyped('');
  };
  return (
    <div>
      {chips.length > 0 && (
        <ul aria-label="Addresses" className="mb-2 flex flex-wrap gap-1.5">
          {chips.map(({ address, why }) => (
            <li key={address} className="max-w-full">
              <Chip label={address} fact={why && <span className="text-fail-ink">{reasonWords(why)}</span>} onRemove={() => recipients.removeAddress(address)}>
                {address}
              </Chip>
            </li>
          ))}
        </ul>
      )}
      <input
        value={typed}
        type="text"
        inputMode="email"
        autoComplete="off"
        spellCheck={false}
        aria-label={hasFiles ? 'Add addresses' : 'Or type or paste addresses'}
        placeholder={hasFiles || chips.length > 0 ? 'Add addresses' : 'Or type or paste addresses'}
        aria-invalid={isWrong || undefined}
        aria-describedby={isWrong ? 'addresses-about' : describedBy}
        onChange={({ target }) => (setTyped(target.value), setWrong(false))}
        onKeyDown={(event) => {
          if (event.key === 'Backspace' && typed === '' && chips.length > 0) recipients.removeAddress(chips.at(-1)?.address ?? '');
          if (!(event.key === 'Enter' && !event.metaKey && !event.ctrlKey) && event.key !== ',' && event.key !== ';') return;
          event.preventDefault();
          take(typed);
        }}
        onPaste={(event) => {
          const text = event.clipboardData.getData('text/plain');
          if (!text.includes('@')) return;
          event.preventDefault();
          take(`${typed} ${text}`);
        }}
        onBlur={() => take(typed)}
        className="h-control w-full rounded-2 border-0 bg-transparent px-0 outline-none focus-visible:shadow-none phone:text-16"
      />
      {isWrong && (
        <p id="addresses-about" className="text-12 text-fail-ink">
          No address in it: one has a name, an @ and a domain.
        </p>
      )}
    </div>
  );
}
