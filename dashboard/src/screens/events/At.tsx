import type { JSX } from "preact";
import { when } from "../../ui";
import { dayOf, fineClock } from "./rows";

/** When something happened, at the beginning of its line. */
export function At({ time }: { time: string }): JSX.Element {
  return (
    <span class="at num muted" title={when(time)}>
      {dayOf(time)} {fineClock(time)}
    </span>
  );
}
