import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { read, write } from "../../../api/client";
import { go, path } from "../../../shell/router";
import { Button, Command, Dialog, Field, Note, sentence, toast } from "../../../ui";
import type { MountKind } from "./kinds";

interface Status {
  migration_info: { status: string; source_mount: string; target_mount: string };
}
const LOOK_EVERY_MS = 400;

/** Moves a mount, and follows it until it has arrived. */
export function Move({ kind, at, onClose }: { kind: MountKind; at: string; onClose: () => void }): JSX.Element {
  const [to, setTo] = useState(at);
  const [migration, setMigration] = useState<string | null>(null);
  const [state, setState] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const where = to.trim().replace(/^\/+|\/+$/g, "");
  const body = { from: `${kind.prefix}${at}`, to: `${kind.prefix}${where}` };
  useEffect(() => {
    if (!migration) return;
    const ending = new AbortController();
    let timer = 0;
    const look = async () => {
      try {
        const { status } = (await read<Status>(`sys/remount/status/${migration}`, { signal: ending.signal })).data.migration_info;
        setState(status);
        if (status === "success") {
          toast(`It is at ${body.to}/ now`);
          go(`${kind.place}${path(where)}`);
          return onClose();
        }
        if (status === "failure") return setWrong("The server could not move it; its log says why.");
        timer = window.setTimeout(look, LOOK_EVERY_MS);
      } catch (error) {
        if (!ending.signal.aborted) setWrong(sentence(error instanceof Error ? error.message : String(error)));
      }
    };
    void look();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [migration]);
  const begin = async () => {
    setWrong(null);
    try {
      setMigration((await write<{ migration_id: string }>("sys/remount", body)).data.migration_id);
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Dialog title={`Move ${kind.prefix}${at}/`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void begin();
        }}
      >
        <Note tone="warn">{kind.catalog === "auth" ? "Tokens that it issued are revoked" : "Leases that it issued are revoked"} on the way. Policies name paths: those for the old one do not fit the new one.</Note>
        <Field label="New path" mono value={to} onInput={setTo} required autoFocus disabled={migration !== null && !wrong} hint={`It will be at ${kind.prefix}${where || "…"}/.`} />
        <div role="status">{migration && !wrong && <Note>{state === "success" ? "It has arrived." : "It is being moved; this dialog follows it. It goes on if you close it."}</Note>}</div>
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" kind="primary" disabled={!where || where === at} busy={migration !== null && !wrong}>
            Move
          </Button>
        </div>
        <Command cli={[kind.cli, "move", at, where || "NEW"]} request={{ method: "POST", path: "sys/remount", body }} />
      </form>
    </Dialog>
  );
}
