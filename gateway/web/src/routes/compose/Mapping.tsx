import { useState } from 'react';
import type { ReactNode } from 'react';
import { VariableChip } from '../../components/Chip';
import { classes } from '../../components/classes';
import { looksLikeAddress } from '../../compose/csv/columns';
import type { Column } from '../../compose/csv/list';
import type { Plan } from '../../compose/plan';
import type { Recipients } from '../../compose/recipients';
import { lacking } from '../../compose/settle';
import { lacking as lackingIn } from '../../compose/sources';
import type { FileSource } from '../../compose/sources';
import { asFallback, fallbackOf, neededIn, usedIn, withFallback } from '../../compose/template';
import { count } from '../../words/number';

interface MappingProps {
  source: FileSource;
  plan: Plan;
  missing: ReadonlyMap<string, number>;
  recipients: Recipients;
  isBusy: boolean;
  onEdit: (patch: Partial<Plan>) => void;
}

/** Which column is which variable, what stands where a row has none, and what the first row has. */
export function Mapping({ source, plan, missing, recipients, isBusy, onEdit }: MappingProps) {
  const texts = [plan.subject, plan.html, plan.text];
  const used = usedIn(...texts);
  const needed = neededIn(...texts);
  const all = source.result?.accepted ?? 0;
  const warnings = needed.filter((name) => (missing.get(name) ?? 0) > 0);
  return (
    <section aria-label="Columns become variables" className="mt-1">
      <h2 className="mb-1 text-12 font-medium text-ink-2">Columns become variables</h2>
      <table className="w-full table-fixed">
        <thead>
          <tr className="text-left text-12 text-ink-3">
            <Head>Column</Head>
            <Head>Variable</Head>
            <Head>If empty, write</Head>
            <Head className="phone:hidden">First row</Head>
          </tr>
        </thead>
        <tbody>
          {source.scan.columns.map((column, place) => {
            const name = source.mapping[place] ?? null;
            return (
              <tr key={column.title + String(place)} className="border-t border-line">
                <td className="truncate py-1.5 pr-3" title={column.title}>
                  {column.title}
                </td>
                <td className="py-1.5 pr-3">
                  {place === source.scan.emailAt ? <VariableChip name="recipient" /> : <Which column={column} name={name} offered={[...used, ...(column.name ? [column.name] : [])]} isBusy={isBusy} onPick={(picked) => recipients.remap(source.id, place, picked)} onAddress={() => recipients.readdress(source.id, place)} />}
                </td>
                <td className="py-1.5 pr-3">
                  {place === source.scan.emailAt ? (
                    <span className="text-ink-3">needed in every row</span>
                  ) : name !== null && used.includes(name) ? (
                    <Fallback name={name} plan={plan} isMissing={warnings.includes(name)} onEdit={onEdit} />
                  ) : null}
                </td>
                <td className={classes('truncate py-1.5 phone:hidden', name === null && place !== source.scan.emailAt && 'text-ink-3')} title={column.first}>
                  {column.first}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {warnings.map((name) => {
        const rows = missing.get(name) ?? 0;
        const here = lackingIn(source, name);
        const canLeave = source.mapping.includes(name) && here > 0 && here < all;
        return (
          <p key={name} id={`missing-${name}`} className="mt-1.5 text-12 text-fail-ink">
            {lacking(name, rows, Math.max(all, rows))} {source.mapping.includes(name) ? (rows === 1 ? 'Write a word for it' : 'Write a word for them') : 'Say above which column has it, or take it out of the text'}
            {canLeave && (
              <>
                , or{' '}
                <button type="button" className="link" disabled={isBusy} onClick={() => recipients.leaveOut(name)}>
                  leave {here === 1 ? 'this one' : `these ${count(here)}`} out
                </button>
              </>
            )}
            .
          </p>
        );
      })}
    </section>
  );
}

function Head({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <th scope="col" className={`py-1 pr-3 font-normal ${className}`}>
      {children}
    </th>
  );
}

/** In the place of a variable's name: this is where mail goes. No variable's name has such a sign. */
const ADDRESS = '@';

interface WhichProps {
  column: Column;
  name: string | null;
  offered: readonly string[];
  isBusy: boolean;
  onPick: (name: string | null) => void;
  onAddress: () => void;
}

function Which({ column, name, offered, isBusy, onPick, onAddress }: WhichProps) {
  return (
    <select
      aria-label={`Variable of ${column.title}`}
      value={name ?? ''}
      disabled={isBusy}
      onChange={({ target }) => (target.value === ADDRESS ? onAddress() : onPick(target.value || null))}
      className={classes('h-control-small max-w-full cursor-pointer truncate rounded-2 border px-1.5 hover:bg-hover phone:text-16', name === null ? 'border-dashed border-line-3 bg-paper text-ink-2' : 'border-mail-200 bg-mail-50 text-mail-ink')}
    >
      {[...new Set([...(name ? [name] : []), ...offered])].map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
      {looksLikeAddress(column.first) && <option value={ADDRESS}>Send to these instead</option>}
      <option value="">Do not use</option>
    </select>
  );
}

function Fallback({ name, plan, isMissing, onEdit }: { name: string; plan: Plan; isMissing: boolean; onEdit: (patch: Partial<Plan>) => void }) {
  const { subject, html, text } = plan;
  const written = fallbackOf(name, subject, html, text) ?? '';
  // Blanks at its end do not count in a template, and are typed all the same.
  const [typed, setTyped] = useState(written);
  return (
    <input
      id={`fallback-${name}`}
      value={typed.trim() === written ? typed : written}
      placeholder="nothing yet"
      aria-label={`If ${name} is empty, write`}
      aria-invalid={isMissing || undefined}
      aria-describedby={isMissing ? `missing-${name}` : undefined}
      onChange={({ target }) => {
        const word = asFallback(target.value);
        setTyped(word);
        onEdit({ subject: withFallback(subject, name, word.trim()), html: withFallback(html, name, word.trim()), text: withFallback(text, name, word.trim()) });
      }}
      className={classes('h-control-small w-full min-w-0 rounded-2 border bg-paper px-2 outline-none focus:border-mail focus:ring-3 focus:ring-mail-100 focus-visible:shadow-none phone:text-16', isMissing ? 'border-fail' : 'border-line-2')}
    />
  );
}
