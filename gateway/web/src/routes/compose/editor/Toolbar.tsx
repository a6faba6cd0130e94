import { Bold, Braces, Code, Italic, Link, List, ListOrdered } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { toggleMark } from 'prosemirror-commands';
import { liftListItem, wrapInList } from 'prosemirror-schema-list';
import type { MarkType, NodeType } from 'prosemirror-model';
import type { Command, EditorState } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { classes } from '../../../components/classes';
import { Icon } from '../../../components/Icon';
import { Key } from '../../../components/Key';
import { Menu, MenuItem } from '../../../components/Menu';
import { MESSAGE } from '../../../compose/mail';
import { UNSUBSCRIBE } from '../../../compose/template';
import { MOD } from '../../../shell/shortcuts';
import { LinkDialog } from './LinkDialog';
import { insertVariable } from './TemplateEditor';

export type Part = 'written' | 'source' | 'text';

interface ToolbarProps {
  part: Part;
  onPart: (part: Part) => void;
  view: { editor: EditorView; state: EditorState } | undefined;
  variables: readonly string[];
  fallbackOf: (name: string) => string | undefined;
  inStep: boolean;
}

/** Formatting, and which side of the message is shown. One stop of Tab; arrows step within. */
export function Toolbar({ part, onPart, view, variables, fallbackOf, inStep }: ToolbarProps) {
  const [isLinking, setLinking] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  const { strong, em, link } = MESSAGE.marks;
  const { bullet_list, ordered_list } = MESSAGE.nodes;
  const state = part === 'written' ? view?.state : undefined;
  const run = (command: Command) => {
    if (!view) return;
    command(view.editor.state, view.editor.dispatch);
    view.editor.focus();
  };
  const tool = (label: string, icon: LucideIcon, isOn: boolean, act: () => void) => <Tool label={label} icon={icon} isOn={isOn} disabled={!state} onClick={act} />;
  const side = (key: Part, children: ReactNode) => (
    <button type="button" tabIndex={-1} aria-pressed={part === key} onClick={() => onPart(part === key ? 'written' : key)} className="flex h-7 items-center gap-1.5 rounded-2 px-2 whitespace-nowrap text-ink-2 hover:bg-hover hover:text-ink aria-pressed:bg-press aria-pressed:text-ink phone:h-10">
      {children}
    </button>
  );
  return (
    <div ref={bar} role="toolbar" aria-label="Formatting" onKeyDown={(event) => step(event, bar.current)} className="mb-2 flex flex-wrap items-center gap-0.5">
      {tool(`Bold (${MOD} B)`, Bold, hasMark(state, strong), () => run(toggleMark(strong)))}
      {tool(`Italic (${MOD} I)`, Italic, hasMark(state, em), () => run(toggleMark(em)))}
      {tool('Link', Link, hasMark(state, link), () => setLinking(true))}
      <Line />
      {tool('Bulleted list', List, isIn(state, bullet_list), () => run(toggleList(bullet_list)))}
      {tool('Numbered list', ListOrdered, isIn(state, ordered_list), () => run(toggleList(ordered_list)))}
      <Line />
      {state && view && (
        <Menu
          label="Variables"
          place="below-left"
          button={(props) => (
            <button type="button" tabIndex={-1} className="flex h-7 items-center gap-1.5 rounded-2 px-2 text-ink-2 hover:bg-hover hover:text-ink phone:h-10" {...props}>
              <Icon of={Braces} /> Variable <Key>{'{'}</Key>
            </button>
          )}
        >
          {(close) =>
            [...variables.filter((name) => name !== UNSUBSCRIBE), UNSUBSCRIBE].map((name) => (
              <MenuItem key={name} end={<small className="text-12 text-ink-3">{name === UNSUBSCRIBE ? 'ends mail' : (fallbackOf(name) ?? '')}</small>} onSelect={() => (close(), insertVariable(view.editor, name, fallbackOf(name)))}>
                {name}
              </MenuItem>
            ))
          }
        </Menu>
      )}
      <span className="flex-1" />
      {side('source', <><Icon of={Code} /> Source</>)}
      {side('text', inStep ? 'Plain text in step' : 'Plain text by hand')}
      {isLinking && view && <LinkDialog view={view.editor} onClose={() => setLinking(false)} />}
    </div>
  );
}

function Tool({ label, icon, isOn, disabled, onClick }: { label: string; icon: LucideIcon; isOn: boolean; disabled: boolean; onClick: () => void }) {
  const isFirst = label.startsWith('Bold');
  return (
    <button
      type="button"
      tabIndex={isFirst ? 0 : -1}
      aria-label={label}
      title={label}
      aria-pressed={isOn}
      disabled={disabled}
      // The editor keeps its selection.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onClick}
      className={classes('grid size-7 place-items-center rounded-2 text-ink-2 enabled:hover:bg-hover enabled:hover:text-ink disabled:opacity-40 aria-pressed:bg-press aria-pressed:text-ink phone:size-10')}
    >
      <Icon of={icon} />
    </button>
  );
}

function Line() {
  return <span aria-hidden="true" className="mx-1 h-4 border-l border-line-2" />;
}

function step(event: KeyboardEvent, bar: HTMLElement | null) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const all = [...(bar?.querySelectorAll<HTMLButtonElement>('button:not(:disabled):not([role])') ?? [])];
  const at = all.indexOf(document.activeElement as HTMLButtonElement);
  if (!by || at < 0) return;
  event.preventDefault();
  all[(at + by + all.length) % all.length]?.focus();
}

function hasMark(state: EditorState | undefined, type: MarkType): boolean {
  if (!state) return false;
  const { from, $from, to, empty } = state.selection;
  return empty ? type.isInSet(state.storedMarks ?? $from.marks()) !== undefined : state.doc.rangeHasMark(from, to, type);
}

function isIn(state: EditorState | undefined, type: NodeType): boolean {
  if (!state) return false;
  const { $from } = state.selection;
  return Array.from({ length: $from.depth + 1 }, (_, depth) => $from.node(depth).type).includes(type);
}

/** Into a list of this kind, out of it, or from the other kind to this. */
function toggleList(type: NodeType): Command {
  return (state, dispatch) => {
    if (isIn(state, type)) return liftListItem(MESSAGE.nodes.list_item)(state, dispatch);
    const { $from } = state.selection;
    for (let depth = $from.depth; depth > 0; depth--) {
      const { bullet_list, ordered_list } = MESSAGE.nodes;
      if ($from.node(depth).type !== bullet_list && $from.node(depth).type !== ordered_list) continue;
      dispatch?.(state.tr.setNodeMarkup($from.before(depth), type));
      return true;
    }
    return wrapInList(type)(state, dispatch);
  };
}
