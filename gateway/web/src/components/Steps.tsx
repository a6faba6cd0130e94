import type { ReactNode } from 'react';
import { StateMark } from './StateMark';
import type { Mark } from './StateMark';

/** A line of dots: attempts, history, what a verification did. */
export function Steps({ children }: { children: ReactNode }) {
  return <ol>{children}</ol>;
}

export function Step({ mark, title, time, children, faint = false }: { mark: Mark; title: ReactNode; time?: ReactNode; children?: ReactNode; faint?: boolean }) {
  return (
    <li className="relative pb-4 pl-6.5 before:absolute before:top-[19px] before:-bottom-[3px] before:left-[6.5px] before:border-l before:border-line-2 before:content-[''] last:pb-0 last:before:hidden">
      <StateMark mark={mark} className="absolute top-[3px] left-0" />
      <div className="flex justify-between gap-3">
        <span className={faint ? 'text-ink-3' : 'font-medium'}>{title}</span>
        <span className="flex-none text-12 leading-5 text-ink-3">{time}</span>
      </div>
      {children}
    </li>
  );
}

/** A server's own words, unchanged. */
export function Raw({ children }: { children: ReactNode }) {
  return <p className="mt-1.5 inline-block max-w-full rounded-[5px] bg-hover px-2.25 py-1.5 font-mono text-[11.5px] leading-[17px] break-words text-ink-2">{children}</p>;
}
