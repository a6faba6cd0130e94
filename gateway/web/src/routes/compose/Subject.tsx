import { Hint } from '../../components/Field';
import type { Plan } from '../../compose/plan';
import type { Thing } from '../../compose/settle';
import { fallbackOf } from '../../compose/template';
import { TemplateEditor } from './editor/TemplateEditor';
import { Row } from './Row';
import { textAt } from './textAt';

export function Subject({ plan, variables, things, onEdit }: { plan: Plan; variables: readonly string[]; things: readonly Thing[]; onEdit: (patch: Partial<Plan>) => void }) {
  const error = textAt(things, 'subject');
  return (
    <Row label="Subject">
      <TemplateEditor
        kind="subject"
        id="subject"
        label="Subject"
        value={plan.subject}
        placeholder="What it is about"
        variables={variables}
        fallbackOf={(name) => fallbackOf(name, plan.subject, plan.html, plan.text)}
        invalid={error !== undefined}
        describedBy={error ? 'subject-about' : undefined}
        onChange={(subject) => onEdit({ subject })}
        className="text-14 font-medium phone:text-16"
      />
      <Hint id="subject-about" error={error} />
    </Row>
  );
}
