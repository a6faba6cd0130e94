import type { Message } from '../../api/types';
import { State } from '../../components/StateMark';
import { Time } from '../../components/Time';
import { failure, stateOfMessage } from '../../words/message';
import { clockS, date, when } from '../../words/time';
import { Who } from '../message/Who';

interface SentRowProps {
  message: Message;
  place: number;
  cursor: boolean;
  open: boolean;
  narrow: boolean;
  now: Date;
  onOpen: (id: string) => void;
}

export function SentRow({ message, place, cursor, open, narrow, now, onOpen }: SentRowProps) {
  const at = date(message.settleTime ?? message.sendTime);
  const words = stateOfMessage(message);
  const why = message.state === 'MESSAGE_STATE_FAILED' && !narrow ? `: ${failure(message.lastCode, message.lastReply, message.recipient)}` : '';
  return (
    <tr data-row={place} data-cursor={cursor || undefined} data-open={open || undefined} aria-rowindex={place + 2} className="cursor-pointer" onClick={() => onOpen(message.id)}>
      <td className="p-full h-row">
        <button type="button" className="block w-full min-w-0 text-left" onClick={() => onOpen(message.id)}>
          <Who message={message} />
        </button>
      </td>
      <td className="p-full text-ink-2">{message.subject}</td>
      <td>
        <State mark={words.mark} tone={words.tone}>
          {words.text + why}
        </State>
      </td>
      <td className="num text-ink-2">{at && <Time at={at} text={when(at, now).length === 5 ? clockS(at) : when(at, now)} />}</td>
    </tr>
  );
}
