/** Something is under way: takes the place of an icon. */
export function Ring() {
  return (
    <svg viewBox="0 0 14 14" aria-hidden="true" className="size-3.5 flex-none" fill="none" stroke="currentColor" strokeWidth="1.5">
      <circle cx="7" cy="7" r="5.25" opacity=".28" />
      <g className="turning">
        <circle cx="7" cy="7" r="5.25" stroke="none" />
        <path d="M7 1.75a5.25 5.25 0 0 1 5.25 5.25" strokeLinecap="round" />
      </g>
    </svg>
  );
}
