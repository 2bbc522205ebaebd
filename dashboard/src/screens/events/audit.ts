import { signal } from "@preact/signals";
import { followAudit, type AuditLine } from "../../api/audit";
import { onForget } from "../../session/forget";
import { gapOf, Tail, type Gap } from "./tail";

/** A line of an audit device in the list. */
export interface AuditRow {
  key: string;
  line: AuditLine;
  text: string;
}

/** What is shown of a line's two kinds. */
export type Which = "answers" | "requests" | "all";

/** The lines of one device. */
export const tail = new Tail<AuditRow | Gap>();
export const device = signal("");
export const sought = signal("");
export const which = signal<Which>("answers");
export const refusedOnly = signal(false);
let about = "";
let many = 0;

onForget(() => {
  device.value = "";
  sought.value = "";
  which.value = "answers";
  refusedOnly.value = false;
  about = "";
});

/** Follows a device until the returned function is called. */
export function follow(name: string): () => void {
  if (about !== name) tail.clear();
  about = name;
  tail.begin(({ add, state }) => {
    return followAudit(
      name,
      (line) => add(rowOf(line)),
      (now) => {
        if (now.kind === "live" && tail.rows.peek().length > 0) add(gapOf("The device was not followed for a while: what it recorded then is in its log."));
        state(now);
      },
    );
  });
  return () => tail.end();
}

/** Whether a line is among those that are looked at. */
export function isShown({ line, text }: AuditRow): boolean {
  const kind = which.value === "all" || (which.value === "answers" ? line.type !== "request" : line.type === "request");
  return kind && (!refusedOnly.value || line.error !== "") && text.includes(sought.value.trim().toLowerCase());
}

function rowOf(line: AuditLine): AuditRow {
  const words = [line.type, line.operation, line.path, line.namespace, line.who, line.address, line.error, line.id];
  return { key: `line ${++many}`, line, text: words.join("\n").toLowerCase() };
}
