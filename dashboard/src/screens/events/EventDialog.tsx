import type { JSX } from "preact";
import { namespace } from "../../session";
import { go } from "../../shell/router";
import { Badge, Button, Code, Command, Copy, Dialog, duration, Facts, operands, useNow, when } from "../../ui";
import { jumpsOf, type Jump } from "./objects";
import { fineClock, said, toneOf, type EventRow } from "./rows";

/** Everything that is known of an event, and the ways to what it is about. */
export function EventDialog({ row, onClose }: { row: EventRow; onClose: () => void }): JSX.Element {
  const { event, namespace: space } = row;
  const { event_type: kind, plugin_info: plugin } = event.data;
  const shown = new Set(["path", "data_path", "operation"]);
  const more = Object.keys(event.data.event.metadata)
    .filter((name) => !shown.has(name))
    .map((name): [string, JSX.Element | null] => [name.replaceAll("_", " "), said(event, name) ? <span class="mono">{said(event, name)}</span> : null]);
  const readable = said(event, "data_path");
  return (
    <Dialog title="An event" large onClose={onClose}>
      <div class="stack">
        <div class="row">
          <Badge tone={toneOf(kind)}>{kind}</Badge>
          <Ago time={event.time} />
        </div>
        <Jumps jumps={jumpsOf(event)} space={space} onClose={onClose} />
        <Facts
          facts={[
            ["Path", <PathOf text={row.path} />],
            ["Readable at", readable && readable !== row.path ? <PathOf text={readable} /> : null],
            ["Namespace", space ? <span class="mono">{space}</span> : "root"],
            ["Time", <span title={event.time}>{`${when(event.time)} (${event.time})`}</span>],
            ["Came here", `${fineClock(row.arrived)} by this machine's clock`],
            ["Told by", plugin ? `${plugin.plugin ?? "an engine"} at ${plugin.mount_path ?? ""}` : "the server itself"],
            ...more,
          ]}
        />
        <Code text={JSON.stringify(event, null, 2)} label="Copy the event as JSON" />
        {readable && <Command cli={["read", ...operands(readable)]} request={{ method: "GET", path: readable }} />}
      </div>
    </Dialog>
  );
}

function PathOf({ text }: { text: string }): JSX.Element {
  return (
    <span class="row">
      <span class="mono break">{text}</span>
      <Copy text={text} label="Copy the path" />
    </span>
  );
}

function Ago({ time }: { time: string }): JSX.Element {
  const seconds = (useNow(1_000) - Date.parse(time)) / 1_000;
  return <span class="small muted num">{seconds < 1 ? "just now" : `${duration(seconds)} ago`}</span>;
}

/** What an event of another namespace is about is there, so that is where the page goes. */
function Jumps({ jumps, space, onClose }: { jumps: Jump[]; space: string; onClose: () => void }): JSX.Element | null {
  if (jumps.length === 0) return null;
  const elsewhere = space !== namespace.value;
  const jump = (to: string) => {
    onClose();
    if (elsewhere) namespace.value = space;
    go(to);
  };
  return (
    <div class="row">
      {jumps.map(({ what, to }, index) => (
        <Button key={to} kind={index === 0 ? "primary" : ""} icon="link" onClick={() => jump(to)}>
          Open {what}
          {elsewhere && ` in ${space || "root"}`}
        </Button>
      ))}
    </div>
  );
}
