import type { JSX } from "preact";
import { Secret } from "../../ui";

/** Random bytes are made to become secrets, so they are hidden as such. */
export function RandomOutcome({ text }: { text: string }): JSX.Element {
  return (
    <div class="row">
      <strong class="small">Random bytes</strong>
      <Secret key={text} value={text} label="the random bytes" />
    </div>
  );
}
