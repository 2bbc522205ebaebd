import type { JSX } from "preact";
import type { Level } from "../../api/monitor";
import { Badge, Icon } from "../../ui";
import { At } from "./At";
import { tail, type LogRow } from "./log";
import type { Gap } from "./tail";
import { TailList } from "./TailList";

const TONES: Record<Level, "bad" | "warn" | "accent" | ""> = { error: "bad", warn: "warn", info: "accent", debug: "", trace: "" };

/** Lines of the log. */
export function LogLines({ rows, onOpen }: { rows: readonly (LogRow | Gap)[]; onOpen: (row: LogRow) => void }): JSX.Element {
  return <TailList tail={tail} label="Lines of the log, the newest first" rows={rows} draw={(row) => <Line row={row} onOpen={onOpen} />} />;
}

function Line({ row, onOpen }: { row: LogRow; onOpen: (row: LogRow) => void }): JSX.Element {
  const { level, time, area, message } = row.line;
  return (
    <li>
      <button type="button" class="tail-row log" data-level={level} onClick={() => onOpen(row)}>
        <At time={time} />
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
