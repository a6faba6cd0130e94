import { useState } from 'react';

/** A mail is never taller on a screen of ours than this; it scrolls inside. */
const MOST_PX = 720;

/** A mail, always on white. Its HTML is somebody's: a frame without scripts, forms or a way to our page shows it. */
export function MailFrame({ html, text, part }: { html: string; text: string; part: 'html' | 'text' }) {
  const [height, setHeight] = useState(220);
  if (part === 'text' || !html) {
    return <pre className="max-h-[720px] overflow-auto rounded-[8px] bg-letter px-4.5 py-4 font-sans text-13 whitespace-pre-wrap text-letter-ink shadow-[inset_0_0_0_1px_var(--color-line)]">{text}</pre>;
  }
  return (
    <iframe
      title="The email"
      // same-origin lets us measure it; without scripts it can do nothing with that.
      sandbox="allow-same-origin"
      referrerPolicy="no-referrer"
      srcDoc={`${GROUND}${html}`}
      onLoad={(event) => setHeight(Math.min(heightOf(event.currentTarget), MOST_PX))}
      className="block w-full rounded-[8px] bg-letter shadow-[inset_0_0_0_1px_var(--color-line)]"
      style={{ height }}
    />
  );
}

/** With the room below the last line; a frame that cannot be measured stays as it is. */
function heightOf(frame: HTMLIFrameElement): number {
  const body = frame.contentDocument?.body;
  return body ? Math.ceil(body.getBoundingClientRect().bottom) + 18 : 220;
}

/** Links lead nowhere from here, and text has room around it; attributes, for the policy allows no sheet. */
const GROUND = '<!doctype html><meta charset="utf-8"><base target="_blank"><body style="margin:16px 18px;font:13px/20px sans-serif;color:#222;overflow-wrap:anywhere">';
