/** Two or three views of the same, small, in a head. */
export function Segments<T extends string>({ label, value, of, onPick }: { label: string; value: T; of: readonly { key: T; text: string }[]; onPick: (key: T) => void }) {
  return (
    <div role="group" aria-label={label} className="flex gap-0.5">
      {of.map(({ key, text }) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onPick(key)} className="h-6 rounded-2 px-2 font-medium text-ink-2 hover:text-ink aria-pressed:bg-press aria-pressed:text-ink">
          {text}
        </button>
      ))}
    </div>
  );
}
