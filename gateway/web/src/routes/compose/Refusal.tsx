import { TriangleAlert } from 'lucide-react';
import { ApiError, sentence } from '../../api/error';
import { Note } from '../../components/Note';

/** Why the campaign was not started, in the server's words where it has some. */
export function Refusal({ error }: { error: Error | null }) {
  if (!error) return null;
  const fields = error instanceof ApiError ? Object.values(error.fields) : [];
  return (
    <Note tone="fail" icon={TriangleAlert} className="mx-gutter mt-3">
      <b>Not scheduled.</b> {error instanceof ApiError ? (error.unreachable ? 'Maillane does not answer. Nothing was sent.' : sentence(error.message)) : 'The draft could not be saved first.'}
      {fields.length > 0 && (
        <ul className="mt-1 list-disc pl-4">
          {fields.slice(0, 5).map((text) => (
            <li key={text}>{sentence(text)}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}
