import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, read } from "../../api/client";
import { href } from "../../shell/router";
import { Card, Check, Code, Command, Dialog, Empty, Facts, Field, LinkButton, Loading, Page, Select, Trouble, useLoad, when } from "../../ui";
import { AuditLines } from "./AuditLines";
import { device, follow, isShown, refusedOnly, sought, tail, which, type AuditRow, type Which } from "./audit";
import "./events.css";
import { ListEnd } from "./ListEnd";
import { pretty } from "./pretty";
import { StreamBadge } from "./StreamBadge";
import { isGap } from "./tail";
import { TailActions } from "./TailActions";

const SHOWN_AT_ONCE = 100;
const SHOWN_MORE = 200;
const WHICH: { value: Which; label: string }[] = [
  { value: "answers", label: "Answers" },
  { value: "requests", label: "Requests" },
  { value: "all", label: "Both" },
];

interface Device {
  type: string;
  options: Record<string, string> | null;
}

/** What an audit device records, as it does. */
export default function AuditTail(): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Record<string, Device>>("sys/audit", { namespace: "", signal })).data, []);
  const names = Object.entries(data ?? {}).filter(([, { options }]) => options?.log_raw !== "true" && options?.file_path !== "discard");
  const all = names.map(([name]) => name.replace(/\/$/, ""));
  const chosen = all.includes(device.value) ? device.value : all[0];
  return (
    <Page title="Audit records" lead="Who asks for what and what is answered, as an audit device records it: secrets are hashed by its key." actions={chosen && <TailActions tail={tail} />}>
      {error && !data ? (
        <Card>
          <Trouble error={error} what="the audit devices" onRetry={reload} />
          <Lines path="sys/audit" error={error} />
        </Card>
      ) : !data ? (
        <Loading />
      ) : chosen ? (
        <Followed key={chosen} name={chosen} names={all} />
      ) : (
        <Card>
          <Empty icon="file" title={Object.keys(data).length === 0 ? "No audit device is enabled" : "No audit device can be followed"} text={Object.keys(data).length === 0 ? "Nobody records who asks for what. Enable a device, then look here again." : "The devices here record nothing, or record secrets as they are (log_raw), which no page shows."}>
            <LinkButton href={href("/operations/audit")}>To the audit devices</LinkButton>
          </Empty>
        </Card>
      )}
    </Page>
  );
}

function Followed({ name, names }: { name: string; names: string[] }): JSX.Element {
  const [opened, setOpened] = useState<AuditRow | null>(null);
  const [round, setRound] = useState(0);
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  useEffect(() => follow(name), [name, round]);
  const state = tail.state.value;
  const rows = tail.rows.value;
  const found = rows.filter((row) => isGap(row) || isShown(row));
  return (
    <>
      <Card flush>
        <div class="tail-head">
          <StreamBadge state={state} paused={tail.paused.value} came={tail.came.value} />
          {names.length > 1 && <Select label="Device" bare value={name} onInput={(next) => (device.value = next)} options={names} />}
        </div>
        <div class="tail-tools three">
          <Field label="Search in these lines" bare type="search" placeholder="Search paths, names, addresses and operations" value={sought.value} onInput={(next) => (sought.value = next)} />
          <Select label="Requests or answers" bare value={which.value} onInput={(next) => (which.value = next as Which)} options={WHICH} />
          <Check label="Refused or failed only" checked={refusedOnly.value} onInput={(on) => (refusedOnly.value = on)} />
        </div>
        {state?.kind === "refused" && (
          <>
            <Trouble error={state.error} what={`the lines of ${name}`} onRetry={() => setRound(round + 1)} />
            <Lines path={`sys/audit-tail/${name}`} error={state.error} />
          </>
        )}
        {state?.kind !== "refused" && found.length === 0 && <Nothing isEmpty={rows.length === 0} />}
        <AuditLines rows={found.slice(0, many)} onOpen={setOpened} />
        <ListEnd shown={many} found={found.length} dropped={tail.dropped.value} more={() => setMany(many + SHOWN_MORE)} />
      </Card>
      <Command cli={["audit", "tail", name]} request={{ method: "GET", path: `sys/audit-tail/${name}`, stream: true }} />
      {opened && <LineDialog row={opened} onClose={() => setOpened(null)} />}
    </>
  );
}

/** The lines of a policy that are missing. */
function Lines({ path, error }: { path: string; error: unknown }): JSX.Element | null {
  if (!(error instanceof ApiError) || !error.isDenied) return null;
  return (
    <div class="grant">
      <Code text={`path "${path}" { capabilities = ["read", "sudo"] }`} label="Copy this line" />
    </div>
  );
}

function Nothing({ isEmpty }: { isEmpty: boolean }): JSX.Element {
  return isEmpty ? (
    <Empty icon="file" title="Nothing was recorded since" text="Lines appear in the moment in which the device has them. What it recorded before is in its log." />
  ) : (
    <Empty icon="search" title="None of these lines is like that" text="What is sought is looked for among the lines on this page, and in those that come." />
  );
}

function LineDialog({ row, onClose }: { row: AuditRow; onClose: () => void }): JSX.Element {
  const { time, type, operation, path, namespace, who, address, error, id, raw } = row.line;
  return (
    <Dialog title={type === "request" ? "A request" : "An answer"} large onClose={onClose}>
      <div class="stack">
        <Facts
          facts={[
            ["Path", <span class="mono">{path}</span>],
            ["Operation", operation],
            ["Namespace", namespace ? <span class="mono">{namespace}</span> : "root"],
            ["Who", who || "nobody who is known"],
            ["From", address || null],
            ["Time", time ? `${when(time)} (${time})` : null],
            ["Failed", error || null],
            ["Request", <span class="mono">{id}</span>],
          ]}
        />
        <Code text={pretty(raw)} label="Copy the line" />
      </div>
    </Dialog>
  );
}
