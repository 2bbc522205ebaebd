import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Badge, Button, Card, Command, Copy, download, duration, Empty, operands, Ring, Secret, Table, when } from "../../ui";
import { print, shown } from "../../api/json";
import { dataPath, type Content, type Mount } from "./kv";
import { lastOf } from "./places";

/** The values of one version, hidden until somebody wants to see them. */
export function Values({ at, name, content, version }: { at: Mount; name: string; content: Content; version?: number }): JSX.Element {
  const [all, setAll] = useState(false);
  const values = content.values ?? {};
  const words = at.kind === "cubbyhole" ? ["read", ...operands(`${at.path}/${name}`)] : ["kv", "get", `-mount=${at.path}`, ...(version ? [`-version=${version}`] : []), ...operands(name)];
  return (
    <>
      <Card
        flush
        title={content.version ? <span class="row">Version {content.version} <span class="muted small">{when(content.created)}</span></span> : "Values"}
        actions={
          <>
            <Button size="small" icon={all ? "hidden" : "eye"} onClick={() => setAll(!all)}>
              {all ? "Hide all" : "Show all"}
            </Button>
            <Copy text={() => print(values)} label="Copy JSON of all values" words="Copy JSON" />
            <Button size="small" icon="download" onClick={() => download(`${lastOf(name)}.json`, `${print(values)}\n`, "application/json")}>
              Download
            </Button>
          </>
        }
      >
        {content.deletion && <Ends content={content} />}
        {content.ttl && (
          <div class="kv-more row">
            <Badge tone="accent">read again every {duration(content.ttl)}</Badge>
            <span class="small muted">Its field ttl tells readers so; nothing deletes it.</span>
          </div>
        )}
        <Table
          label="Keys and values"
          rows={Object.entries(values)}
          rowKey={([key]) => `${all}${key}`}
          empty={<Empty title="It has no keys" text="The secret is there, and empty." />}
          columns={[
            { head: "Key", cell: ([key]) => <span class="mono break">{key}</span> },
            { head: "Value", cell: ([key, value]) => <Secret value={shown(value)} label={key} shown={all} /> },
          ]}
        />
      </Card>
      <Command cli={words} request={{ method: "GET", path: dataPath(at, name), query: { version } }} />
    </>
  );
}

/** When a version deletes itself. */
function Ends({ content: { created, deletion } }: { content: Content }): JSX.Element {
  const whole = (Date.parse(deletion) - Date.parse(created)) / 1_000;
  return (
    <div class="kv-more row">
      <Ring expires={Date.parse(deletion)} ttl={whole} />
      <Badge tone="warn">deletes itself</Badge>
      <span class="small muted">
        {when(deletion)}, {duration(whole)} after it was written
      </span>
    </div>
  );
}
