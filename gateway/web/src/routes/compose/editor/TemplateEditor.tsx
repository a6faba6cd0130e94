import './writing.css';
import { baseKeymap, toggleMark } from 'prosemirror-commands';
import { history, redo, undo } from 'prosemirror-history';
import { InputRule, inputRules, wrappingInputRule } from 'prosemirror-inputrules';
import { keymap } from 'prosemirror-keymap';
import { DOMParser, Slice, Fragment } from 'prosemirror-model';
import type { Node } from 'prosemirror-model';
import { liftListItem, sinkListItem, splitListItem } from 'prosemirror-schema-list';
import { EditorState, NodeSelection, Plugin, TextSelection } from 'prosemirror-state';
import type { Command } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import { useId, useLayoutEffect, useRef, useState } from 'react';
import { htmlOf, inlineOf, MESSAGE, SUBJECT, subjectDoc, subjectOf, withAtoms } from '../../../compose/mail';
import { placeholders } from '../../../compose/template';
import { classes } from '../../../components/classes';
import { VariableList } from './VariableList';
import type { Trigger } from './VariableList';

export type EditorKind = 'message' | 'subject';

interface TemplateEditorProps {
  kind: EditorKind;
  /** HTML of a message, text of a subject. */
  value: string;
  onChange: (value: string) => void;
  /** Names that are offered, and what stands for each where a recipient lacks it. */
  variables: readonly string[];
  fallbackOf: (name: string) => string | undefined;
  label: string;
  id: string;
  describedBy?: string | undefined;
  invalid?: boolean;
  placeholder?: string;
  className?: string;
  /** Told of every change of what is written or selected. */
  onView?: (view: EditorView) => void;
}

/** Writes text with variables as atoms. `{` opens the list of variables. */
export function TemplateEditor(props: TemplateEditorProps) {
  const { kind, value, label, id, describedBy, invalid = false, placeholder, className, variables, fallbackOf } = props;
  const mount = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const written = useRef(value);
  const [trigger, setTrigger] = useState<Trigger>();
  const keys = useRef<(event: KeyboardEvent) => boolean>(() => false);
  const listId = useId();

  useLayoutEffect(() => {
    if (!mount.current) return undefined;
    const editor = new EditorView(mount.current, {
      state: EditorState.create({ doc: read(kind, latest.current.value), plugins: plugins(kind) }),
      handleKeyDown: (_, event) => keys.current(event),
      handlePaste: kind === 'subject' ? pasteLine : undefined,
      clipboardTextSerializer: (slice) => slice.content.textBetween(0, slice.content.size, '\n\n', (leaf) => leaf.type.spec.leafText?.(leaf) ?? '\n'),
      transformPastedHTML: (html) => {
        const page = new window.DOMParser().parseFromString(html, 'text/html');
        withAtoms(page.body);
        return page.body.innerHTML;
      },
      dispatchTransaction(transaction) {
        editor.updateState(editor.state.apply(transaction));
        if (transaction.docChanged && !transaction.getMeta('outside')) {
          written.current = write(kind, editor.state.doc);
          latest.current.onChange(written.current);
        }
        setTrigger(triggerOf(editor));
        latest.current.onView?.(editor);
      },
    });
    editor.dom.addEventListener('blur', () => setTrigger(undefined));
    view.current = editor;
    latest.current.onView?.(editor);
    return () => editor.destroy();
  }, [kind]);

  // What was changed elsewhere, a fallback for one: the caret stays where it was.
  useLayoutEffect(() => {
    const editor = view.current;
    if (!editor || value === written.current) return;
    written.current = value;
    const { doc, tr, selection } = editor.state;
    const next = read(kind, value);
    if (next.eq(doc)) return;
    const replaced = tr.replaceWith(0, doc.content.size, next.content).setMeta('outside', true).setMeta('addToHistory', false);
    const at = Math.min(selection.from, replaced.doc.content.size);
    editor.dispatch(replaced.setSelection(TextSelection.near(replaced.doc.resolve(at))));
  }, [kind, value]);

  // Of a view of this kind: it is made anew where the kind changes.
  useLayoutEffect(() => {
    view.current?.setProps({
      attributes: {
        id,
        role: 'textbox',
        'aria-label': label,
        'aria-multiline': String(kind === 'message'),
        ...(invalid ? { 'aria-invalid': 'true' } : {}),
        ...(describedBy ? { 'aria-describedby': describedBy } : {}),
        ...(trigger ? { 'aria-controls': listId } : {}),
        class: 'writing',
        spellcheck: 'true',
        'data-placeholder': placeholder ?? '',
      },
    });
  }, [id, label, kind, describedBy, invalid, placeholder, trigger, listId]);

  return (
    <div ref={mount} className={classes('editor-box relative', className)}>
      {trigger && (
        <VariableList
          id={listId}
          trigger={trigger}
          variables={variables}
          keys={keys}
          onClose={() => setTrigger(undefined)}
          onPick={(name) => view.current && insertVariable(view.current, name, fallbackOf(name), trigger)}
        />
      )}
    </div>
  );
}

/** Puts a variable at the caret, in the place of what was typed to find it. */
export function insertVariable(view: EditorView, name: string, fallback: string | undefined, over?: { from: number; to: number }) {
  const { state } = view;
  const atom = state.schema.node('variable', { name, fallback: fallback ?? null });
  const { from, to } = over ?? state.selection;
  view.dispatch(state.tr.replaceWith(from, to, atom).scrollIntoView());
  view.focus();
}

function read(kind: EditorKind, value: string): Node {
  if (kind === 'subject') return subjectDoc(value);
  const page = new window.DOMParser().parseFromString(value, 'text/html');
  withAtoms(page.body);
  return DOMParser.fromSchema(MESSAGE).parse(page.body);
}

function write(kind: EditorKind, doc: Node): string {
  return kind === 'subject' ? subjectOf(doc) : htmlOf(doc);
}

/** The same HTML as the editor would write it: what it cannot keep is missing. */
export function asEdited(html: string): string {
  return htmlOf(read('message', html));
}

/** The open brace before the caret, and what was typed behind it. */
function triggerOf(view: EditorView): Trigger | undefined {
  const { selection } = view.state;
  if (!(selection instanceof TextSelection) || !selection.$cursor || !view.hasFocus()) return undefined;
  const before = selection.$cursor.parent.textBetween(Math.max(0, selection.$cursor.parentOffset - 70), selection.$cursor.parentOffset, '\n', '\ufffc');
  const match = /\{\{?(\w{0,64})$/.exec(before);
  if (!match) return undefined;
  const from = selection.from - match[0].length;
  const at = view.coordsAtPos(from);
  const box = view.dom.getBoundingClientRect();
  return { from, to: selection.from, typed: match[1] ?? '', left: at.left - box.left, top: at.bottom - box.top };
}

function plugins(kind: EditorKind): Plugin[] {
  const rules = [variableRule()];
  const bindings: Record<string, Command> = { Backspace: selectVariable(-1), Delete: selectVariable(1), 'Mod-z': undo, 'Mod-y': redo, 'Mod-Shift-z': redo };
  if (kind === 'message') {
    const { bullet_list, ordered_list, list_item, hard_break } = MESSAGE.nodes;
    rules.push(wrappingInputRule(/^\s*[-*]\s$/, bullet_list), wrappingInputRule(/^1\.\s$/, ordered_list));
    // In an empty item the rest of the keymap leaves the list.
    bindings['Enter'] = splitListItem(list_item);
    bindings['Mod-Enter'] = () => true;
    bindings['Shift-Enter'] = (state, dispatch) => {
      dispatch?.(state.tr.replaceSelectionWith(hard_break.create()).scrollIntoView());
      return true;
    };
    // Only within a list: elsewhere Tab leaves the editor, as everywhere.
    bindings['Tab'] = sinkListItem(list_item);
    bindings['Shift-Tab'] = liftListItem(list_item);
    bindings['Mod-b'] = toggleMark(MESSAGE.marks.strong);
    bindings['Mod-i'] = toggleMark(MESSAGE.marks.em);
  } else {
    bindings['Enter'] = () => (document.getElementById('message')?.focus(), true);
    bindings['Mod-Enter'] = () => true;
  }
  return [inputRules({ rules }), keymap(bindings), keymap(baseKeymap), history(), emptiness()];
}

/** Backspace and Delete select a variable first; what is selected they remove. */
function selectVariable(side: -1 | 1): Command {
  return ({ selection, tr }, dispatch) => {
    const { $from, empty } = selection;
    const node = side < 0 ? $from.nodeBefore : $from.nodeAfter;
    if (!empty || node?.type.name !== 'variable') return false;
    dispatch?.(tr.setSelection(NodeSelection.create(tr.doc, side < 0 ? $from.pos - node.nodeSize : $from.pos)));
    return true;
  };
}

/** A variable that was typed out becomes an atom with its last brace. */
function variableRule(): InputRule {
  return new InputRule(/\{\{[^{}\n]{1,280}\}\}$/, (state, match, start, end) => {
    const [found] = placeholders(match[0]).found;
    return found ? state.tr.replaceWith(start, end, state.schema.node('variable', { name: found.name, fallback: found.fallback ?? null })) : null;
  });
}

/** Marks an empty editor, for its placeholder. */
function emptiness(): Plugin {
  return new Plugin({
    props: { attributes: (state): Record<string, string> => (state.doc.textContent === '' && state.doc.childCount <= 1 && state.doc.firstChild?.type.name !== 'bullet_list' ? { 'data-empty': '' } : {}) },
  });
}

/** A subject is one line, whatever is pasted. */
function pasteLine(view: EditorView, event: ClipboardEvent): boolean {
  const text = event.clipboardData?.getData('text/plain').replace(/\s*[\r\n]+\s*/g, ' ') ?? '';
  view.dispatch(view.state.tr.replaceSelection(new Slice(Fragment.from(inlineOf(SUBJECT, text)), 0, 0)).scrollIntoView());
  return true;
}
