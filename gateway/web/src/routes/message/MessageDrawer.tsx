import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { campaign as campaignQuery, mailboxes, message as messageQuery } from '../../api/queries';
import type { Message } from '../../api/types';
import { Drawer, DrawerPart } from '../../components/Drawer';
import { SkeletonRows } from '../../components/Skeleton';
import { State } from '../../components/StateMark';
import { useKeys } from '../../shell/shortcuts';
import { PageError } from '../../shell/PageError';
import { useNow } from '../../useNow';
import { failure, stateOfMessage } from '../../words/message';
import { count, ordinal } from '../../words/number';
import { waiting } from '../../words/reason';
import { clockS, date, day, when } from '../../words/time';
import { Attempts } from './Attempts';
import { Decide } from './Decide';
import { Letter } from './Letter';

interface MessageDrawerProps {
  id: string;
  fact?: string | undefined;
  onClose: () => void;
  onPrevious?: (() => void) | undefined;
  onNext?: (() => void) | undefined;
}

/** One email: what happened to it, and what it was. */
export function MessageDrawer({ id, fact, onClose, onPrevious, onNext }: MessageDrawerProps) {
  const { data, error, refetch } = useQuery(messageQuery(id));
  useKeys({ '[': () => onPrevious?.(), ']': () => onNext?.(), Escape: onClose });
  return (
    <Drawer label={data ? `Email to ${data.recipientName || data.recipient}` : 'Email'} fact={fact} onClose={onClose} onPrevious={onPrevious} onNext={onNext}>
      {data ? <Story message={data} /> : error ? <PageError error={error} onRetry={() => void refetch()} /> : <SkeletonRows rows={5} />}
    </Drawer>
  );
}

function Story({ message }: { message: Message }) {
  const now = useNow();
  const { data: campaign } = useQuery(campaignQuery(message.campaignId));
  const { data: boxes = [] } = useQuery(mailboxes);
  const mailbox = boxes.find(({ id }) => id === message.mailboxId);
  return (
    <>
      <DrawerPart>
        <p className="mb-2">
          <Headline message={message} now={now} />
        </p>
        <h2 className="text-16 leading-[22px] font-semibold tracking-[-0.01em] break-words">{message.subject || 'No subject'}</h2>
        <p className="mt-1.5 break-words text-ink-2">
          to {message.recipientName && <strong className="text-ink">{message.recipientName} </strong>}
          {message.recipient}
        </p>
        {message.state === 'MESSAGE_STATE_UNCONFIRMED' && <Decide message={message} />}
      </DrawerPart>
      <DrawerPart title="What happened">
        <Attempts message={message} now={now} />
      </DrawerPart>
      <DrawerPart title="Details">
        <dl className="grid grid-cols-[104px_1fr] gap-x-3 gap-y-1.75 [&_dd]:min-w-0 [&_dd]:break-words [&_dt]:text-ink-3">
          <dt>Campaign</dt>
          <dd>
            <Link className="link" to={`/campaigns/${message.campaignId}`}>
              {campaign?.name || 'Open it'}
            </Link>
          </dd>
          <dt>Mailbox</dt>
          <dd>{mailbox?.address ?? 'It was deleted'}</dd>
          {message.line > 0 && (
            <>
              <dt>In the import</dt>
              <dd>Line {count(message.line)}</dd>
            </>
          )}
          {message.headerId && (
            <>
              <dt>Message-ID</dt>
              <dd className="font-mono text-12">{message.headerId}</dd>
            </>
          )}
        </dl>
      </DrawerPart>
      <Letter message={message} />
    </>
  );
}

function Headline({ message, now }: { message: Message; now: Date }) {
  const words = stateOfMessage(message);
  const sent = date(message.sendTime);
  if (message.state === 'MESSAGE_STATE_SENT' && sent) {
    const isToday = when(sent, now).length === 5;
    const nth = message.attempts > 1 ? `, at the ${ordinal(message.attempts)} try` : '';
    return <State mark="sent">{`Sent ${isToday ? `today ${clockS(sent)}` : day(sent, now)}${nth}`}</State>;
  }
  if (message.state === 'MESSAGE_STATE_PENDING') {
    const reason = waiting(message.hold);
    const until = date(message.hold?.untilTime);
    return <State mark="pending">{`${reason.text}${until && until > now ? ` · until ${when(until, now)}` : ''}`}</State>;
  }
  if (message.state === 'MESSAGE_STATE_FAILED') {
    return (
      <State mark="failed" tone="fail">
        {`Failed: ${failure(message.lastCode, message.lastReply, message.recipient)}`}
      </State>
    );
  }
  return (
    <State mark={words.mark} tone={words.tone}>
      {words.text}
    </State>
  );
}
