import { useRef } from 'react';
import type { ComponentProps } from 'react';
import { Button } from '../../components/Button';

const ACCEPT = '.csv,.txt,.tsv,text/csv,text/plain,text/tab-separated-values';

/** A button that asks for a file with recipients; the same one can be chosen again. */
export function FileButton({ onFile, ...button }: Omit<ComponentProps<typeof Button>, 'onClick'> & { onFile: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button {...button} size="small" onClick={() => input.current?.click()} />
      <input ref={input} type="file" accept={ACCEPT} className="sr-only" tabIndex={-1} aria-hidden="true" onChange={({ target }) => (target.files?.[0] && onFile(target.files[0]), (target.value = ''))} />
    </>
  );
}
