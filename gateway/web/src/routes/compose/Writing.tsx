import type { Plan } from '../../compose/plan';
import type { Thing } from '../../compose/settle';
import { Message } from './Message';
import { Subject } from './Subject';

export interface WritingProps {
  plan: Plan;
  variables: readonly string[];
  things: readonly Thing[];
  onEdit: (patch: Partial<Plan>) => void;
}

/** What is written: subject and message. Behind it is the editor, more than half of this screen's code: it comes by itself. */
export default function Writing(props: WritingProps) {
  return (
    <>
      <Subject {...props} />
      <Message {...props} />
    </>
  );
}
