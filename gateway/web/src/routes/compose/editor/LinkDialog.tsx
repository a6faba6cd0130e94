import type { EditorView } from 'prosemirror-view';
import { useState } from 'react';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { Field } from '../../../components/Field';
import { isHref, MESSAGE } from '../../../compose/mail';

/** Where what is selected leads to; without a selection, the link at the caret, or the address as its own words. */
export function LinkDialog({ view, onClose }: { view: EditorView; onClose: () => void }) {
  const { link } = MESSAGE.marks;
  const range = linkAt(view);
  const [href, setHref] = useState(range.href);
  const [error, setError] = useState<string>();
  const done = () => {
    onClose();
    requestAnimationFrame(() => view.focus());
  };
  const set = () => {
    const target = complete(href.trim());
    if (!isHref(target)) return setError('A web address, like https://example.com, or mailto: and an address.');
    const { tr, schema } = view.state;
    if (range.from === range.to) tr.insert(range.from, schema.text(target, [link.create({ href: target })]));
    else tr.removeMark(range.from, range.to, link).addMark(range.from, range.to, link.create({ href: target }));
    view.dispatch(tr);
    done();
  };
  const remove = () => {
    view.dispatch(view.state.tr.removeMark(range.from, range.to, link));
    done();
  };
  return (
    <Dialog
      title="Link"
      onClose={done}
      dirty={href !== range.href}
      aside={range.href && <button type="button" className="link" onClick={remove}>Remove the link</button>}
      buttons={
        <>
          <Button kind="quiet" onClick={done}>
            Back
          </Button>
          <Button kind="primary" onClick={set}>
            Set link
          </Button>
        </>
      }
    >
      <div className="px-[22px] pt-2 pb-[18px]">
        <Field label="Address" autoFocus inputMode="url" value={href} error={error} hint="A variable may stand in it: https://example.com/?id={{id}}" onChange={({ target }) => (setHref(target.value), setError(undefined))} onKeyDown={(event) => event.key === 'Enter' && set()} />
      </div>
    </Dialog>
  );
}

function complete(href: string): string {
  if (/^[^\s@:/]+@[^\s@:/]+$/.test(href)) return `mailto:${href}`;
  return href && !/^([a-z][a-z0-9+.-]*:|\{\{)/i.test(href) ? `https://${href}` : href;
}

function linkAt(view: EditorView): { from: number; to: number; href: string } {
  const { link } = MESSAGE.marks;
  const { from, to, $from, empty } = view.state.selection;
  const found = link.isInSet(empty ? $from.marks() : ($from.nodeAfter?.marks ?? []));
  if (!found) return { from, to, href: '' };
  if (!empty) return { from, to, href: String(found.attrs['href']) };
  let [start, end] = [from, from];
  const parent = $from.start();
  $from.parent.forEach((node, offset) => {
    const at = parent + offset;
    if (found.isInSet(node.marks) && at <= from && from <= at + node.nodeSize) [start, end] = [at, at + node.nodeSize];
  });
  return { from: start, to: end, href: String(found.attrs['href']) };
}
