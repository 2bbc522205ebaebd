import type { JSX } from "preact";
import { Badge, Icon } from "../../ui";
import { At } from "./At";
import { tail, type AuditRow } from "./audit";
import type { Gap } from "./tail";
import { TailList } from "./TailList";

/** A line that is no JSON is shown by its beginning. */
const BEGINNING_CHARS = 200;

/** Lines of an audit device. */
export function AuditLines({ rows, onOpen }: { rows: readonly (AuditRow | Gap)[]; onOpen: (row: AuditRow) => void }): JSX.Element {
  return <TailList tail={tail} label="Lines of the audit device, the newest first" rows={rows} draw={(row) => <Line row={row} onOpen={onOpen} />} />;
}

function Line({ row, onOpen }: { row: AuditRow; onOpen: (row: AuditRow) => void }): JSX.Element {
  const { time, type, operation, path, namespace, who, error, raw } = row.line;
  return (
    <li>
      <button type="button" class="tail-row audit" data-audit={type} onClick={() => onOpen(row)}>
        <At time={time} />
        <span class="kind">
          {type === "request" && <span class="muted">asked: </span>}
          {operation}
        </span>
        <span class="what mono break">
          {namespace && <span class="muted">{namespace} </span>}
          {path || raw.slice(0, BEGINNING_CHARS)}
        </span>
        <span class="more small muted break">
          {error && <Badge tone="bad">{error}</Badge>} {who}
        </span>
        <Icon name="chevron" size={12} />
      </button>
    </li>
  );
}
