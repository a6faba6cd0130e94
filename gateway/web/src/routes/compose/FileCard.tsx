import { ChevronDown, ChevronRight, FileText } from 'lucide-react';
import { Fragment, useState } from 'react';
import type { ReactNode } from 'react';
import { Icon } from '../../components/Icon';
import type { Recipients } from '../../compose/recipients';
import { reasonWords, rejectedCsv } from '../../compose/sources';
import type { FileSource, Result } from '../../compose/sources';
import { capital, count, counted } from '../../words/number';
import { FileButton } from './FileButton';

/** Rows that show at once; the rest on demand. */
const FIRST = 3;

const DELIMITERS: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab' };

/** A file, and what the campaign took of it. */
export function FileCard({ source, recipients, isBusy }: { source: FileSource; recipients: Recipients; isBusy: boolean }) {
  const { name, file, scan, result } = source;
  const facts = [counted(scan.rows, 'row'), size(file.size), scan.columns.length > 1 && DELIMITERS[scan.delimiter], scan.encoding.toUpperCase()];
  return (
    <section aria-label={name} className="overflow-hidden rounded-3 border border-line">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 pr-2 pl-4">
        <Icon of={FileText} className="text-ink-3" />
        <p className="min-w-0 flex-1 basis-40 break-words">
          <b className="mr-2">{name}</b> <small className="text-12 text-ink-3 phone:block">{facts.filter(Boolean).map((fact, place) => (
            <Fragment key={place}>
              {place > 0 && ', '}
              <span className="whitespace-nowrap">{fact}</span>
            </Fragment>
          ))}</small>
        </p>
        <span className="flex">
          <FileButton kind="quiet" disabled={isBusy} onFile={(chosen) => recipients.addFile(chosen, true)}>
            Replace
          </FileButton>
          <FileButton kind="quiet" disabled={isBusy} onFile={(chosen) => recipients.addFile(chosen)}>
            Add more
          </FileButton>
        </span>
      </div>
      {result && <Found result={result} without={source.without} />}
      {result && result.rejectedCount > 0 && <LeftOut result={result} name={name} />}
    </section>
  );
}

function Found({ result, without }: { result: Result; without: readonly string[] }) {
  return (
    <div aria-live="polite" className="grid grid-cols-3 border-t border-line phone:grid-cols-2">
      <Fact className="phone:col-span-2">
        <b className="font-semibold">{count(result.accepted)}</b> {result.accepted === 1 ? 'recipient' : 'recipients'} found
        {without.length > 0 && <small className="block text-12 text-ink-3">without those that lack {without.join(' or ')}</small>}
      </Fact>
      <Fact className="border-l border-line phone:border-t phone:border-l-0">
        <b>{count(result.duplicates)}</b> {result.duplicates === 1 ? 'duplicate' : 'duplicates'}, kept once
      </Fact>
      <Fact className="border-l border-line phone:border-t">
        <span className={result.rejectedCount > 0 ? 'text-fail-ink' : undefined}>
          <b>{count(result.rejectedCount)}</b> {result.rejectedCount === 1 ? 'row' : 'rows'} left out
        </span>
      </Fact>
    </div>
  );
}

function Fact({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <p className={`border-line px-4 py-2.5 ${className}`}>{children}</p>;
}

function LeftOut({ result, name }: { result: Result; name: string }) {
  const [isOpen, setOpen] = useState(true);
  const [isAll, setAll] = useState(false);
  const { rejected, rejectedCount } = result;
  const shown = isAll ? rejected : rejected.slice(0, FIRST);
  return (
    <div className="border-t border-line bg-band px-4 py-2.5">
      <div className="flex items-center gap-2">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)} className="flex flex-1 items-center gap-1.5 font-medium">
          <Icon of={isOpen ? ChevronDown : ChevronRight} small /> {counted(rejectedCount, 'row')} left out
        </button>
        <a className="link" href={`data:text/csv;charset=utf-8,${encodeURIComponent(rejectedCsv(rejected))}`} download={`${name.replace(/\.\w+$/, '')} left out.csv`}>
          Download as CSV
        </a>
      </div>
      {isOpen && (
        <div className={isAll ? 'max-h-80 overflow-auto' : undefined}>
          <table className="mt-1.5 w-full table-fixed">
            <colgroup>
              <col className="w-14" />
              <col />
              <col />
            </colgroup>
            <thead className="sr-only">
              <tr>
                <th>Line</th>
                <th>Value</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => (
                <tr key={`${row.line} ${row.value}`} className="align-top">
                  <td className="py-0.5 pr-3 text-right text-ink-3">{count(row.line)}</td>
                  <td className="truncate py-0.5 pr-3 font-mono text-12">{row.value}</td>
                  <td className="py-0.5 text-ink-2">{capital(reasonWords(row.reason))}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {!isAll && rejected.length > FIRST && (
            <button type="button" className="link mt-1 ml-14" onClick={() => setAll(true)}>
              {count(rejected.length - FIRST)} more
            </button>
          )}
          {isAll && rejectedCount > rejected.length && <p className="mt-1 ml-14 text-12 text-ink-3">The first {count(rejected.length)} are listed.</p>}
        </div>
      )}
    </div>
  );
}

/** 94 kB */
function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
