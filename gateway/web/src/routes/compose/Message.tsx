import { useMemo, useState } from 'react';
import type { EditorView } from 'prosemirror-view';
import { Confirm } from '../../components/Confirm';
import { Hint } from '../../components/Field';
import { textOf } from '../../compose/htmlText';
import type { Plan } from '../../compose/plan';
import type { Thing } from '../../compose/settle';
import { fallbackOf } from '../../compose/template';
import { asEdited, TemplateEditor } from './editor/TemplateEditor';
import { Toolbar } from './editor/Toolbar';
import type { Part } from './editor/Toolbar';
import { Row } from './Row';
import { textAt } from './textAt';

interface MessageProps {
  plan: Plan;
  variables: readonly string[];
  things: readonly Thing[];
  onEdit: (patch: Partial<Plan>) => void;
}

const AREA = 'block min-h-56 w-full resize-y rounded-2 border border-line-2 bg-paper px-3 py-2.5 outline-none focus:border-mail focus:ring-3 focus:ring-mail-100 focus-visible:shadow-none phone:text-16';

/** The message: written, as its source, or its plain text, which follows the HTML until it is written by hand. */
export function Message({ plan, variables, things, onEdit }: MessageProps) {
  const { html, text } = plan;
  const [part, setPart] = useState<Part>(() => (!html && text ? 'text' : html && !isKept(html) ? 'source' : 'written'));
  const [view, setView] = useState<{ editor: EditorView; state: EditorView['state'] }>();
  const [isLosing, setLosing] = useState(false);
  const inStep = useMemo(() => text === textOf(html), [html, text]);
  const error = textAt(things, 'message', 'text');
  const about = error ? 'message-about' : undefined;
  const write = (next: string) => onEdit(inStep || (!html && !text) ? { html: next, text: textOf(next) } : { html: next });
  const show = (next: Part) => {
    if (next === 'written' && html && !isKept(html)) return setLosing(true);
    // What was only text is begun with as paragraphs.
    if (next === 'written' && !html && text) onEdit({ html: paragraphs(text) });
    setPart(next);
  };
  return (
    <Row label="Message" top>
      <Toolbar part={part} onPart={show} view={view} variables={variables} fallbackOf={(name) => fallbackOf(name, plan.subject, html, text)} inStep={inStep} />
      {part === 'written' && (
        <TemplateEditor
          kind="message"
          id="message"
          label="Message"
          value={html}
          placeholder="Write to one person. { puts in a variable."
          variables={variables}
          fallbackOf={(name) => fallbackOf(name, plan.subject, html, text)}
          invalid={error !== undefined}
          describedBy={about}
          onChange={write}
          onView={(editor) => setView({ editor, state: editor.state })}
          className="max-w-[620px] text-14 phone:text-16"
        />
      )}
      {part === 'source' && (
        <textarea id="message" aria-label="HTML source of the message" aria-invalid={error ? true : undefined} aria-describedby={about} value={html} spellCheck={false} rows={18} onChange={({ target }) => write(target.value)} className={`${AREA} font-mono text-12`} />
      )}
      {part === 'text' && (
        <>
          <textarea id="text" aria-label="Plain text of the message" aria-invalid={error ? true : undefined} aria-describedby={about ?? 'text-step'} value={text} rows={14} onChange={({ target }) => onEdit({ text: target.value })} className={`${AREA} text-14`} />
          <p id="text-step" className="mt-1.5 text-12 text-ink-3">
            {inStep ? 'It follows the message by itself. What you write here is kept as it is.' : html ? 'Written by hand: it no longer follows the message. ' : 'There is no HTML: this is the whole message.'}
            {!inStep && html && (
              <button type="button" className="link" onClick={() => onEdit({ text: textOf(html) })}>
                Keep it in step again
              </button>
            )}
          </p>
        </>
      )}
      <Hint id="message-about" error={error} />
      {isLosing && (
        <Confirm
          title="Leave the source?"
          verb="Use the editor"
          keep="Stay in the source"
          onClose={() => setLosing(false)}
          onConfirm={() => {
            setLosing(false);
            write(asEdited(html));
            setPart('written');
          }}
        >
          The editor keeps text, bold, italics, links, lists and variables. All else in this HTML, like tables, pictures and styles, is lost.
        </Confirm>
      )}
    </Row>
  );
}

/** Whether the editor keeps all of it; blanks between blocks do not count. */
function isKept(html: string): boolean {
  const plain = (each: string) => each.replace(/>\s+/g, '>').replace(/\s+</g, '<').replace(/\s+/g, ' ').replaceAll('<br/>', '<br>').trim();
  return plain(asEdited(html)) === plain(html);
}

function paragraphs(text: string): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  return escaped.trim().split(/\n{2,}/).map((block) => `<p>${block.replace(/\n/g, '<br>')}</p>`).join('\n');
}
