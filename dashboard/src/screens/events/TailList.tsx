import { Component, type JSX } from "preact";
import { Icon } from "../../ui";
import { rowKeys } from "./rowKeys";
import { fineClock } from "./rows";
import { isGap, type Gap, type Tail } from "./tail";
import { useHold } from "./useHold";

interface Keyed {
  key: string;
}

/** Rows of a tail, each drawn by `draw` as one `li`, and the places where some may be missing. */
export function TailList<T extends Keyed>({ tail, label, rows, draw }: { tail: Tail<T | Gap>; label: string; rows: readonly (T | Gap)[]; draw: (row: T) => JSX.Element }): JSX.Element | null {
  const hold = useHold(tail);
  if (rows.length === 0) return null;
  return (
    <ol class="tail-list" aria-label={label} onKeyDown={rowKeys} {...hold}>
      {rows.map((row) => (isGap(row) ? <GapLine key={row.key} row={row} /> : <Once key={row.key} row={row} draw={draw} />))}
    </ol>
  );
}

/** What has happened never changes, so it is drawn once, however much comes after it. */
class Once<T> extends Component<{ row: T; draw: (row: T) => JSX.Element }> {
  override shouldComponentUpdate({ row }: { row: T }): boolean {
    return row !== this.props.row;
  }

  render(): JSX.Element {
    return this.props.draw(this.props.row);
  }
}

function GapLine({ row }: { row: Gap }): JSX.Element {
  return (
    <li class="tail-gap small">
      <Icon name="warn" />
      <span>{row.gap}</span>
      <span class="num muted">{fineClock(row.arrived)}</span>
    </li>
  );
}
