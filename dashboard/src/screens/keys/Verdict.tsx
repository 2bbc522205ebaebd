import type { JSX } from "preact";
import { Note } from "../../ui";

/** Whether something is genuine, so that nobody takes the one for the other. */
export function Verdict({ valid, what }: { valid: boolean; what: string }): JSX.Element {
  return valid ? <Note tone="good" title={`Valid: the ${what} is of this key and this input.`} /> : <Note tone="bad" title={`Not valid: the ${what} is not of this key and this input.`} />;
}
