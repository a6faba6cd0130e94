import type { Message } from '../../api/types';
import { Raw, Step, Steps } from '../../components/Steps';
import { Time } from '../../components/Time';
import { attemptWords } from '../../words/message';
import { endsBy, waiting } from '../../words/reason';
import { clockS, date, span, until, when } from '../../words/time';

/** Waits between tries that are longer are a step of their own. */
const WAIT_S = 30;

/** Newest first: what it waits for now, each try, and when it was due. */
export function Attempts({ message, now }: { message: Message; now: Date }) {
  const tries = [...message.history].reverse();
  const due = date(message.dueTime);
  const first = date(message.history[0]?.claimTime);
  // Behind a try it is no fact of the past: its lane was moved on since.
  const wasDue = due && (!first || due <= first) ? due : undefined;
  const at = (text: string | undefined) => {
    const instant = date(text);
    return instant && <Time at={instant} text={when(instant, now).length === 5 ? clockS(instant) : when(instant, now)} />;
  };
  return (
    <Steps>
      {message.state === 'MESSAGE_STATE_PENDING' && message.hold && <Held message={message} now={now} />}
      {tries.map((attempt, place) => {
        const words = attemptWords(attempt, message.recipient);
        const before = tries[place + 1];
        const [from, to] = [date(before?.settleTime), date(attempt.claimTime)];
        const waited = from && to ? (to.getTime() - from.getTime()) / 1000 : 0;
        const took = duration(attempt.claimTime, attempt.settleTime);
        return [
          <Step key={attempt.claimTime ?? place} mark={words.mark} title={words.title} time={at(attempt.settleTime)}>
            <p className="text-ink-2">
              {words.meaning}
              {took && attempt.state === 'MESSAGE_STATE_SENT' && ` ${took}.`}
            </p>
            {attempt.reply && <Raw>{reply(attempt.code, attempt.reply)}</Raw>}
          </Step>,
          waited >= WAIT_S && <Step key={`wait-${place}`} mark="parked" title={`Waited ${span(waited)}`} time={at(before?.settleTime)} />,
        ];
      })}
      {wasDue && <Step mark="pending" title={wasDue > now ? `Due ${until(wasDue, now)}` : 'Due'} time={at(message.dueTime)} />}
      {!due && tries.length === 0 && <Step mark="draft" title="Its campaign has not started" />}
    </Steps>
  );
}

function Held({ message, now }: { message: Message; now: Date }) {
  const reason = waiting(message.hold);
  const expected = date(message.hold?.expectedTime);
  const lifted = date(message.hold?.untilTime);
  const leaves = expected ? `Leaves ${until(expected, now)}, as things stand.` : `When it leaves is not known: it waits until ${endsBy(message.hold) || 'that ends'}.`;
  return (
    <Step mark={reason.tone === 'park' ? 'parked' : reason.tone === 'fail' ? 'failed' : 'scheduled'} title={reason.text} time={lifted && lifted > now && `until ${when(lifted, now)}`}>
      <p className="text-ink-2">{leaves}</p>
      {message.hold?.detail && <Raw>{message.hold.detail}</Raw>}
    </Step>
  );
}

/** The server's line as it came: with its code, where the text does not begin with it. */
function reply(code: number, text: string): string {
  return code > 0 && !text.startsWith(String(code)) ? `${code} ${text}` : text;
}

function duration(from: string | undefined, to: string | undefined): string {
  const [begun, ended] = [date(from), date(to)];
  const s = begun && ended ? (ended.getTime() - begun.getTime()) / 1000 : 0;
  return s > 0 ? span(s) : '';
}
