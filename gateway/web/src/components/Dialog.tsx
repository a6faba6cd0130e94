import { X } from 'lucide-react';
import { useEffect, useId, useRef } from 'react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { classes } from './classes';
import { Icon } from './Icon';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** At the right of the foot, the safe one first. */
  buttons?: ReactNode;
  /** At the left of the foot. */
  aside?: ReactNode;
  /** Something was typed: the scrim does not close it. */
  dirty?: boolean;
  /** Two columns. */
  wide?: boolean;
}

/** A modal dialog: the browser's own, which traps focus, knows Esc and gives focus back. */
export function Dialog({ title, onClose, children, buttons, aside, dirty = false, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Not the × that comes first: the field that it is opened for, else the first one, or the safe button.
    const first = element?.querySelector<HTMLElement>('[data-first]');
    (first ?? element?.querySelector<HTMLElement>('form input:not([type=radio]), textarea, footer button, [role=menuitem], a'))?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        if (!dirty) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
      onMouseDown={(event) => {
        if (event.target === dialog.current && !dirty) onClose();
      }}
      className={classes(
        'm-auto max-h-[92vh] max-w-[calc(100vw-32px)] overflow-y-auto rounded-4 bg-raised p-0 text-ink shadow-3 backdrop:bg-scrim',
        'phone:mb-0 phone:w-full! phone:max-w-none phone:rounded-b-none',
        wide ? 'w-[760px]' : 'w-[520px]',
      )}
    >
      <header className="flex items-start pt-[18px] pr-3.5 pl-[22px]">
        <h2 id={heading} className="flex-1 text-16 font-semibold tracking-[-0.01em]">
          {title}
        </h2>
        <Button kind="quiet" size="small" square aria-label="Close (Esc)" icon={<Icon of={X} />} onClick={onClose} />
      </header>
      {children}
      {(buttons || aside) && (
        <footer className="sticky bottom-0 flex flex-wrap items-center gap-2 border-t border-line bg-raised py-3 pr-4 pl-[22px]">
          {aside && <span className="text-ink-3">{aside}</span>}
          <span className="ml-auto flex flex-wrap gap-2">{buttons}</span>
        </footer>
      )}
    </dialog>
  );
}

/** What a dialog says, with its usual room around it. */
export function DialogText({ children }: { children: ReactNode }) {
  return <div className="px-[22px] pt-2 pb-[18px] text-ink-2">{children}</div>;
}
