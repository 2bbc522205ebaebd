import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { LEVELS, type Level } from "../../api/monitor";
import { Button, Card, Code, Command, Dialog, Empty, Field, Page, Select, Trouble } from "../../ui";
import "./events.css";
import { ListEnd } from "./ListEnd";
import { level, sought, tail, follow, type LogRow } from "./log";
import { LogLines } from "./LogLines";
import { pretty } from "./pretty";
import { StreamBadge } from "./StreamBadge";
import { isGap } from "./tail";
import { TailActions } from "./TailActions";

const WORDS: Record<Level, string> = { error: "Errors only", warn: "Warnings, too", info: "Information, too", debug: "Debugging, too", trace: "Everything" };
const SHOWN_AT_ONCE = 100;
const SHOWN_MORE = 200;

/** The server's own log, as it is written. */
export default function Log(): JSX.Element {
  const [opened, setOpened] = useState<LogRow | null>(null);
  const [round, setRound] = useState(0);
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  const from = level.value;
  useEffect(() => follow(from), [from, round]);
  const state = tail.state.value;
  const rows = tail.rows.value;
  const text = sought.value.trim().toLowerCase();
  const found = text ? rows.filter((row) => isGap(row) || row.text.includes(text)) : rows;
  return (
    <Page title="Log" lead="What this server writes about its own work, from now on. It keeps nothing of it for later; its log file does." actions={<TailActions tail={tail} />}>
      <Card flush>
        <div class="tail-head">
          <StreamBadge state={state} paused={tail.paused.value} came={tail.came.value} />
        </div>
        <div class="tail-tools two">
          <Field label="Search in these lines" bare type="search" placeholder="Search in these lines" value={sought.value} onInput={(next) => (sought.value = next)} />
          <Select label="Level" bare value={from} onInput={(next) => (level.value = next as Level)} options={[...LEVELS].reverse().map((value) => ({ value, label: WORDS[value] }))} />
        </div>
        {state?.kind === "refused" && <Trouble error={state.error} what="the server's log" onRetry={() => setRound(round + 1)} />}
        {state?.kind !== "refused" && found.length === 0 && (rows.length === 0 ? <Nothing level={from} /> : <Empty icon="search" title="None of these lines has that" text="What is sought is looked for among the lines on this page, and in those that come." />)}
        <LogLines rows={found.slice(0, many)} onOpen={setOpened} />
        <ListEnd shown={many} found={found.length} dropped={tail.dropped.value} more={() => setMany(many + SHOWN_MORE)} />
      </Card>
      <Command cli={["monitor", `-log-level=${from}`]} request={{ method: "GET", path: "sys/monitor", query: { log_level: from, log_format: "json" }, stream: true }} />
      {opened && (
        <Dialog title="A line of the log" large onClose={() => setOpened(null)}>
          <Code text={pretty(opened.line.raw)} label="Copy the line" />
        </Dialog>
      )}
    </Page>
  );
}

function Nothing({ level: from }: { level: Level }): JSX.Element {
  const isQuiet = from === "info" || from === "warn" || from === "error";
  return (
    <Empty icon="terminal" title="The server has written nothing since" text={isQuiet ? "A server in good health says little at this level. Debugging also shows each request." : "Lines appear in the moment in which they are written."}>
      {isQuiet && <Button onClick={() => (level.value = "debug")}>Show debugging, too</Button>}
    </Empty>
  );
}
