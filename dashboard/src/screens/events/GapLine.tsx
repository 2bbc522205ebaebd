import type { JSX } from "preact";
import { Icon } from "../../ui";
import { fineClock } from "./rows";
import type { Gap } from "./tail";

/** A place in a list where something may be missing. */
export function GapLine({ row }: { row: Gap }): JSX.Element {
  return (
    <li class="tail-gap small">
      <Icon name="warn" />
      <span>{row.gap}</span>
      <span class="num muted">{fineClock(row.arrived)}</span>
    </li>
  );
}
