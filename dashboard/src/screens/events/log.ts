import { signal } from "@preact/signals";
import { monitor, type Level, type LogLine } from "../../api/monitor";
import { onForget } from "../../session/forget";
import { gapOf, Tail, type Gap } from "./tail";

/** A line of the log in the list. */
export interface LogRow {
  key: string;
  line: LogLine;
  /** What stands beside the message, as `name=value`. */
  more: string;
  text: string;
}

/** The log. */
export const tail = new Tail<LogRow | Gap>();
/** The least severe level that the server is asked for. */
export const level = signal<Level>("info");
export const sought = signal("");
onForget(() => {
  level.value = "info";
  sought.value = "";
});

let lines = 0;

/** Follows the log until the returned function is called. What is logged meanwhile, nobody can see later. */
export function follow(from: Level): () => void {
  tail.begin(({ add, state }) => {
    return monitor(
      from,
      (line) => add(rowOf(line)),
      (now) => {
        if (now.kind === "live" && tail.rows.peek().length > 0) add(gapOf("The log was not followed for a while: lines may be missing here."));
        state(now);
      },
    );
  });
  return () => tail.end();
}

function rowOf(line: LogLine): LogRow {
  const more = Object.entries(line.fields)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return { key: `line ${++lines}`, line, more, text: `${line.area} ${line.message} ${more}`.toLowerCase() };
}
