import { ChevronDown, ChevronUp, Link2, X } from 'lucide-react';
import { Suspense, useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { classes } from './classes';
import { Icon } from './Icon';

/** A list with its drawer: beside it where there is room, over it where there is not, a sheet on phones. */
export function Split({ children, drawer }: { children: ReactNode; drawer: ReactNode }) {
  return (
    <div className={classes(drawer ? 'wide:grid wide:grid-cols-[minmax(0,1fr)_var(--drawer)]' : undefined)}>
      <div className="min-w-0">{children}</div>
      <Suspense>{drawer}</Suspense>
    </div>
  );
}

interface DrawerProps {
  label: string;
  fact?: ReactNode;
  onClose: () => void;
  onPrevious?: (() => void) | undefined;
  onNext?: (() => void) | undefined;
  children: ReactNode;
}

export function Drawer({ label, fact, onClose, onPrevious, onNext, children }: DrawerProps) {
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    drawer.current?.focus();
    return () => (before instanceof HTMLElement && before.isConnected ? before.focus() : undefined);
  }, []);
  return (
    <aside
      ref={drawer}
      tabIndex={-1}
      aria-label={label}
      className={classes(
        'fixed inset-y-0 right-0 z-30 flex w-drawer flex-col overflow-auto bg-raised shadow-3 outline-none focus-visible:shadow-3',
        'wide:sticky wide:top-0 wide:z-1 wide:h-screen wide:border-l wide:border-line wide:bg-paper wide:shadow-none wide:focus-visible:shadow-none',
        'max-[1439px]:max-w-full phone:inset-x-0 phone:top-auto phone:max-h-[88vh] phone:w-auto phone:rounded-t-[16px] phone:pb-4',
      )}
    >
      <header className="flex items-center gap-1.5 border-b border-line py-3 pr-3 pl-[22px] text-ink-3">
        {fact && <span>{fact}</span>}
        {onPrevious && <Step label="Previous ([)" icon={ChevronUp} onClick={onPrevious} />}
        {onNext && <Step label="Next (])" icon={ChevronDown} onClick={onNext} />}
        <span className="flex-1" />
        <Step label="Copy link" icon={Link2} onClick={() => void navigator.clipboard?.writeText(location.href)} />
        <Step label="Close (Esc)" icon={X} onClick={onClose} />
      </header>
      {children}
    </aside>
  );
}

function Step({ label, icon, onClick }: { label: string; icon: typeof X; onClick: () => void }) {
  return <Button kind="quiet" size="small" square aria-label={label} title={label} icon={<Icon of={icon} />} onClick={onClick} />;
}

export function DrawerPart({ title, children, end, last = false }: { title?: string; children: ReactNode; end?: ReactNode; last?: boolean }) {
  return (
    <section className={classes('px-[22px] py-[18px]', !last && 'border-b border-line')}>
      {title && (
        <div className="mb-2.5 flex items-center justify-between">
          <h3 className="text-12 font-medium text-ink-3">{title}</h3>
          {end}
        </div>
      )}
      {children}
    </section>
  );
}
