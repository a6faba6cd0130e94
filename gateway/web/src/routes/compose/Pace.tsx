import { useState } from 'react';
import type { Mailbox } from '../../api/types';
import { Field } from '../../components/Field';
import type { Plan } from '../../compose/plan';
import { count } from '../../words/number';
import { Row } from './Row';

const MAX_DELAY_S = 24 * 3600;
const MAX_LIMIT = 1_000_000;

export function Pace({ plan, mailboxes, onEdit }: { plan: Plan; mailboxes: readonly Mailbox[]; onEdit: (patch: Partial<Plan>) => void }) {
  const hourly = mailboxes.filter(({ id }) => plan.mailboxIds.includes(id)).reduce((sum, mailbox) => sum + (mailbox.hourlyLimit ?? 0), 0);
  return (
    <Row label="Pace" top last>
      <div className="grid max-w-[620px] grid-cols-2 gap-3">
        <NumberField label="Delay between emails" unit="seconds" value={plan.delayS} hint="In each mailbox" error={`A number from 0 to ${count(MAX_DELAY_S)}, parts of a second too.`} isValid={(s) => s >= 0 && s <= MAX_DELAY_S} onNumber={(delayS) => onEdit({ delayS: delayS ?? 0 })} />
        <NumberField
          label="Limit of this campaign"
          unit="an hour"
          value={plan.hourlyLimit}
          placeholder="None"
          hint={hourly > 0 ? `Mailboxes: ${count(hourly)} an hour` : 'Over all its mailboxes'}
          error={`A whole number from 1 to ${count(MAX_LIMIT)}, or nothing.`}
          isValid={(limit) => Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT}
          onNumber={(hourlyLimit) => onEdit({ hourlyLimit })}
        />
      </div>
    </Row>
  );
}

interface NumberFieldProps {
  label: string;
  unit: string;
  value: number | undefined;
  placeholder?: string;
  hint: string;
  error: string;
  isValid: (value: number) => boolean;
  onNumber: (value: number | undefined) => void;
}

/** A number as it is typed: only what is one is taken, and what is none is told on leaving. */
function NumberField({ label, unit, value, placeholder, hint, error, isValid, onNumber }: NumberFieldProps) {
  const [typed, setTyped] = useState<string>();
  const [isWrong, setWrong] = useState(false);
  const parsed = (text: string) => (text.trim() === '' ? undefined : Number(text.replace(',', '.')));
  const valid = (text: string) => {
    const number = parsed(text);
    return number === undefined ? placeholder !== undefined : isValid(number);
  };
  return (
    <Field
      label={label}
      unit={unit}
      inputMode="decimal"
      value={typed ?? (value === undefined ? '' : String(value))}
      placeholder={placeholder}
      hint={hint}
      error={isWrong ? error : undefined}
      onChange={({ target }) => {
        setTyped(target.value);
        if (!valid(target.value)) return;
        setWrong(false);
        onNumber(parsed(target.value));
      }}
      onBlur={() => {
        if (typed === undefined) return;
        if (valid(typed)) setTyped(undefined);
        else setWrong(true);
      }}
    />
  );
}
