import { Component, type JSX } from "preact";
import type { Level } from "../../api/monitor";
import { Badge, Icon, when } from "../../ui";
import { GapLine } from "./GapLine";
import { tail, type LogRow } from "./log";
import { rowKeys } from "./rowKeys";
import { dayOf, fineClock } from "./rows";
import { isGap, type Gap } from "./tail";
import { useHold } from "./useHold";

const TONES: Record<Level, "bad" | "warn" | "accent" | ""> = { error: "bad", warn: "warn", info: "accent", debug: "", trace: "" };

/** Lines of the log. */
export function LogLines({ rows, onOpen }: { rows: readonly (LogRow | Gap)[]; onOpen: (row: LogRow) => void }): JSX.Element | null {
  const hold = useHold(tail);
  if (rows.length === 0) return null;
  return (
    <ol class="tail-list" aria-label="Lines of the log, the newest first" onKeyDown={rowKeys} {...hold}>
      {rows.map((row) => (isGap(row) ? <GapLine key={row.key} row={row} /> : <Line key={row.key} row={row} onOpen={onOpen} />))}
    </ol>
  );
}

/** A line never changes, so it is drawn once. */
class Line extends Component<{ row: LogRow; onOpen: (row: LogRow) => void }> {
  override shouldComponentUpdate({ row }: { row: LogRow }): boolean {
    return row !== this.props.row;
  }

  render(): JSX.Element {
    const { row } = this.props;
    const { level, time, area, message } = row.line;
    return (
      <li>
        <button type="button" class="tail-row log" data-level={level} onClick={() => this.props.onOpen(row)}>
          <span class="at num muted" title={when(time)}>
            {dayOf(time)} {fineClock(time)}
          </span>
          <span class="kind">
            <Badge tone={TONES[level]}>{level}</Badge> <span class="muted break">{area}</span>
          </span>
          <span class="what break">
            <span class="clamped">
              {message} {row.more && <span class="mono muted">{row.more}</span>}
            </span>
          </span>
          <Icon name="chevron" size={12} />
        </button>
      </li>
    );
  }
}
