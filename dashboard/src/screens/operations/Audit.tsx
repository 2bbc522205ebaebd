import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, remove, write } from "../../api/client";
import { Badge, Button, Card, Command, Confirm, Dialog, Empty, Field, Loading, Note, Page, Select, sentence, Table, toast, Trouble, useLoad, when } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";
import { useDeniedBelow } from "../../session/below";

interface Device {
  type: string;
  description: string;
  options: Record<string, string> | null;
  state?: { healthy: boolean; failing_since: string | null; last_error: string; queue_lines: number; recorded_lines: number; dropped_lines: number };
}
const EVERY_MS = 5_000;

/** The audit devices of the server. */
export default function Audit(): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Record<string, Device>>("sys/audit", { signal })).data, [], EVERY_MS);
  const [enabling, setEnabling] = useState(false);
  const [gone, setGone] = useState<string | null>(null);
  const enableDenied = useDeniedBelow("sys/audit/", "create", "update");
  const rows = Object.entries(data ?? {}).map(([at, device]) => ({ at: at.replace(/\/$/, ""), ...device }));
  return (
    <Page
      title="Audit devices"
      lead="Where the server records each request and answer. Nothing is answered that no device could record."
      actions={
        <Button kind="primary" icon="plus" because={enableDenied} onClick={() => setEnabling(true)}>
          Enable
        </Button>
      }
    >
      {error && !data ? <Trouble error={error} what="the audit devices" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <Card flush>
          <Table
            label="Audit devices"
            rows={rows}
            rowKey={({ at }) => at}
            empty={<Empty icon="warn" title="No audit device is enabled" text="Nobody records who asked for what. Enable one before this server is used in earnest." />}
            columns={[
              { head: "Name", cell: ({ at, description }) => <span><code class="break">{at}/</code>{description && <div class="muted small break">{description}</div>}</span> },
              { head: "To", cell: ({ type, options }) => <span class="break">{type}: {options?.file_path ?? options?.address ?? "the system's log"}</span> },
              { head: "State", cell: ({ state }) => (state ? <State state={state} /> : "") },
              { head: "Recorded", right: true, cell: ({ state }) => state?.recorded_lines.toLocaleString() ?? "" },
              { head: "Actions", actions: true, cell: ({ at }) => <AllowedButton path={`sys/audit/${at}`} needs="delete" size="small" kind="danger" label={`Disable ${at}`} onClick={() => setGone(at)}>Disable</AllowedButton> },
            ]}
          />
        </Card>
      )}
      <Command cli={["audit", "list"]} request={{ method: "GET", path: "sys/audit" }} />
      {enabling && <Enable onClose={() => setEnabling(false)} onDone={reload} />}
      {gone && (
        <Confirm
          title={`Disable the audit device ${gone}?`}
          verb="Disable"
          danger
          typed={gone}
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await remove(`sys/audit/${gone}`);
            toast(`The audit device ${gone} is disabled`);
            reload();
          }}
        >
          From then on nothing is recorded there. What is recorded stays; the key that hashes values in it is lost, so that values can not be looked for in it any more.
          {rows.length === 1 && " It is the last one: nobody records anything after that."}
        </Confirm>
      )}
    </Page>
  );
}

function State({ state }: { state: NonNullable<Device["state"]> }): JSX.Element {
  return (
    <span class="row">
      <Badge tone={state.healthy ? "good" : "bad"} dot>
        {state.healthy ? "records" : "fails"}
      </Badge>
      {!state.healthy && <span class="small break">{state.last_error} since {when(state.failing_since)}</span>}
      {state.dropped_lines > 0 && <Badge tone="bad">{state.dropped_lines} lost</Badge>}
      {state.queue_lines > 0 && <Badge>{state.queue_lines} waiting</Badge>}
    </span>
  );
}

function Enable({ onClose, onDone }: { onClose: () => void; onDone: () => void }): JSX.Element {
  const [type, setType] = useState("file");
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const [kind, setKind] = useState("tcp");
  const [description, setDescription] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const at = name.trim().replace(/^\/+|\/+$/g, "") || type;
  const options: Record<string, string> = type === "file" ? { file_path: target.trim() } : type === "socket" ? { address: target.trim(), socket_type: kind } : {};
  const body = { type, options, ...(description ? { description } : {}) };
  const enable = async () => {
    setWrong(null);
    try {
      await write(`sys/audit/${at}`, body);
      toast(`The audit device ${at} records from now on`);
      onDone();
      onClose();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Dialog title="Enable an audit device" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void enable();
        }}
      >
        <Select label="Kind" value={type} onInput={setType} options={[{ value: "file", label: "file" }, { value: "socket", label: "socket" }, { value: "syslog", label: "syslog" }]} autoFocus />
        {type === "file" && <Field label="File" mono required value={target} onInput={setTarget} placeholder="/var/log/coffer/audit.log" hint="On the server; its folder has to be there." />}
        {type === "socket" && (
          <div class="halves">
            <Field label="Address" mono required value={target} onInput={setTarget} placeholder="127.0.0.1:9090" />
            <Select label="Socket" value={kind} onInput={setKind} options={["tcp", "udp", "unix"]} />
          </div>
        )}
        <Field label="Name" mono value={name} onInput={setName} placeholder={type} />
        <Field label="Description" value={description} onInput={setDescription} />
        {wrong && (
          <Note tone="bad">
            {wrong}
            {/unsafe_allow_api_audit_creation/.test(wrong) && " Declare it in the server's configuration instead."}
          </Note>
        )}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={type !== "syslog" && !target.trim()}>
            Enable
          </Button>
        </div>
        <Command cli={["audit", "enable", ...(at === type ? [] : [`-path=${at}`]), type, ...Object.entries(options).map(([word, value]) => `${word}=${value}`)]} request={{ method: "POST", path: `sys/audit/${at}`, body }} />
      </form>
    </Dialog>
  );
}
