import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { namespace } from "../../session";
import { Badge, Empty, Field, Icon } from "../../ui";
import { At } from "./At";
import { Chips } from "./Chips";
import { ListEnd } from "./ListEnd";
import { toneOf, type EventRow, type Row } from "./rows";
import { areas, sought, tail } from "./store";
import { isGap } from "./tail";
import { TailList } from "./TailList";

const SHOWN_AT_ONCE = 100;
const SHOWN_MORE = 200;

/** The events that are here, with what narrows them down at once. `quiet` stands there as long as there are none. */
export function EventList({ quiet, onOpen }: { quiet: JSX.Element | null; onOpen: (row: EventRow) => void }): JSX.Element | null {
  const rows = tail.rows.value;
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  useEffect(() => setMany(SHOWN_AT_ONCE), [sought.value, areas.value]);
  const found = narrowed(rows);
  if (rows.length === 0 && !quiet) return null;
  return (
    <>
      <div class="tail-tools">
        <Field label="Search in these events" bare type="search" placeholder="Search paths, kinds, namespaces and names" value={sought.value} onInput={(text) => (sought.value = text)} />
        <Chips label="Kinds of events" counts={countOf(rows)} chosen={areas.value} onInput={(chosen) => (areas.value = chosen)} />
      </div>
      {found.length === 0 && (rows.length === 0 ? quiet : <Empty icon="search" title="None of these events has that" text="What is sought is looked for among the events on this page, and in those that come." />)}
      <TailList tail={tail} label="Events, the newest first" rows={found.slice(0, many)} draw={(row) => <Line row={row} onOpen={onOpen} />} />
      <ListEnd shown={many} found={found.length} dropped={tail.dropped.value} more={() => setMany(many + SHOWN_MORE)} />
    </>
  );
}

function narrowed(rows: readonly Row[]): readonly Row[] {
  const text = sought.value.trim().toLowerCase();
  if (!text && areas.value.size === 0) return rows;
  return rows.filter((row) => isGap(row) || ((areas.value.size === 0 || areas.value.has(row.area)) && row.text.includes(text)));
}

function countOf(rows: readonly Row[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) if (!isGap(row)) counts.set(row.area, (counts.get(row.area) ?? 0) + 1);
  return counts;
}

function Line({ row, onOpen }: { row: EventRow; onOpen: (row: EventRow) => void }): JSX.Element {
  const { id, time, data } = row.event;
  const elsewhere = row.namespace !== namespace.peek() && row.namespace;
  return (
    <li>
      <button type="button" class="tail-row" data-event={id} data-path={row.path} onClick={() => onOpen(row)}>
        <At time={time} />
        <span class="kind">
          <Badge tone={toneOf(data.event_type)}>{data.event_type}</Badge>
        </span>
        <span class="what mono break">
          {elsewhere && <span class="muted">{elsewhere} </span>}
          {row.path}
        </span>
        <span class="more small muted break">{row.more}</span>
        <Icon name="chevron" size={12} />
      </button>
    </li>
  );
}
