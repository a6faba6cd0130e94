/** A plain letter in the button's own ink: the name beside it says the rest. */
export function GoogleMark() {
  return (
    <span aria-hidden="true" className="grid size-4.5 place-items-center text-[13px] font-semibold">
      G
    </span>
  );
}
