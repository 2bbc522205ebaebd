import { Component, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { namespace } from "../../session";
import { Badge, Empty, Field, Icon, when } from "../../ui";
import { Chips } from "./Chips";
import { GapLine } from "./GapLine";
import { ListEnd } from "./ListEnd";
import { rowKeys } from "./rowKeys";
import { dayOf, fineClock, toneOf, type EventRow, type Row } from "./rows";
import { areas, sought, tail } from "./store";
import { isGap } from "./tail";
import { useHold } from "./useHold";

const SHOWN_AT_ONCE = 100;
const SHOWN_MORE = 200;

/** The events that are here, with what narrows them down at once. */
export function EventList({ quiet, onOpen }: { quiet: JSX.Element; onOpen: (row: EventRow) => void }): JSX.Element {
  const rows = tail.rows.value;
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  const hold = useHold(tail);
  useEffect(() => setMany(SHOWN_AT_ONCE), [sought.value, areas.value]);
  const found = narrowed(rows);
  return (
    <>
      <div class="tail-tools">
        <Field label="Search in these events" bare type="search" placeholder="Search paths, kinds, namespaces and names" value={sought.value} onInput={(text) => (sought.value = text)} />
        <Chips label="Kinds of events" counts={countOf(rows)} chosen={areas.value} onInput={(chosen) => (areas.value = chosen)} />
      </div>
      {found.length === 0 && (rows.length === 0 ? quiet : <Empty icon="search" title="None of these events has that" text="What is sought is looked for among the events on this page, and in those that come." />)}
      {found.length > 0 && (
        <ol class="tail-list" aria-label="Events, the newest first" onKeyDown={rowKeys} {...hold}>
          {found.slice(0, many).map((row) => (isGap(row) ? <GapLine key={row.key} row={row} /> : <Line key={row.key} row={row} onOpen={onOpen} />))}
        </ol>
      )}
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

/** An event never changes, so its line is drawn once, however many come after it. */
class Line extends Component<{ row: EventRow; onOpen: (row: EventRow) => void }> {
  override shouldComponentUpdate({ row }: { row: EventRow }): boolean {
    return row !== this.props.row;
  }

  render(): JSX.Element {
    const { row } = this.props;
    const { id, time, data } = row.event;
    const elsewhere = row.namespace !== namespace.peek() && row.namespace;
    return (
      <li>
        <button type="button" class="tail-row" data-event={id} data-path={row.path} onClick={() => this.props.onOpen(row)}>
          <span class="at num muted" title={when(time)}>
            {dayOf(time)} {fineClock(time)}
          </span>
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
}
