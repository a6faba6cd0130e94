import type { Place, Thing } from '../../compose/settle';

/** What is to be settled at a place, as its error; only once somebody asked to schedule. */
export function textAt(things: readonly Thing[], ...places: Place[]): string | undefined {
  const text = things.find(({ place }) => places.includes(place))?.text;
  return text && (text.endsWith('.') ? text : `${text}.`);
}
