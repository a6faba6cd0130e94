import { Check, TriangleAlert } from 'lucide-react';
import { ApiError, sentence } from '../../api/error';
import { Icon } from '../../components/Icon';
import { Ring } from '../../components/Ring';
import type { Saving } from '../../compose/draft';
import { ago } from '../../words/time';

/** Whether what is written is on the server: true, or what failed. */
export function Saved({ saving, now, onRetry }: { saving: Saving; now: Date; onRetry: () => void }) {
  switch (saving.kind) {
    case 'clean':
      return null;
    case 'unsaved':
    case 'saving':
      return (
        <span className="flex flex-none items-center gap-1.5 text-ink-3">
          <Ring /> <span className="phone:hidden">Saving</span>
        </span>
      );
    case 'saved':
      return (
        <span className="flex flex-none items-center gap-1.5 whitespace-nowrap text-ink-3">
          <Icon of={Check} small /> <span className="phone:sr-only">Saved {ago(new Date(saving.at), now)}</span>
        </span>
      );
    case 'conflict':
      return null;
    default:
      return (
        <span role="alert" className="flex min-w-0 flex-wrap items-center gap-x-1.5 text-fail-ink">
          <Icon of={TriangleAlert} small />
          <b>Not saved: {why(saving.error)}</b> <span className="text-ink-2 phone:hidden">Your text is kept in this browser.</span>
          <button type="button" className="link" onClick={onRetry}>
            Try again
          </button>
        </span>
      );
  }
}

function why(error: unknown): string {
  if (!(error instanceof ApiError)) return 'something went wrong on this page.';
  if (error.unreachable) return 'Maillane does not answer.';
  if (error.code === 404) return 'this draft was deleted elsewhere.';
  const [field, description] = Object.entries(error.fields)[0] ?? [];
  return field && description ? sentence(`${NAMES[field] ?? field} ${description}`) : sentence(error.message);
}

const NAMES: Readonly<Record<string, string>> = {
  'campaign.name': 'the name',
  'campaign.mailboxIds': 'the mailboxes',
  'campaign.template.subject': 'the subject',
  'campaign.template.html': 'the message',
  'campaign.template.text': 'the plain text',
  'campaign.startTime': 'the start',
  'campaign.delay': 'the delay',
  'campaign.hourlyLimit': 'the limit',
};
