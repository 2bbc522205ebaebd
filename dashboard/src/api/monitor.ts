import { followLines } from "./follow";
import type { StreamState } from "./stream";

/** How severe a line of the log is, from the least. */
export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** A line of the server's log. */
export interface LogLine {
  level: Level;
  time: string;
  area: string;
  message: string;
  fields: Record<string, unknown>;
  /** The line as it came. */
  raw: string;
}

/** Follows the server's log until the returned function is called. What is logged while the stream is cut is not seen. */
export function monitor(level: Level, onLine: (line: LogLine) => void, onState: (state: StreamState) => void): () => void {
  return followLines("sys/monitor", { log_level: level, log_format: "json" }, (line) => onLine(parsed(line)), onState);
}

function parsed(raw: string): LogLine {
  try {
    const { "@level": level, "@timestamp": time, "@module": area, "@message": message, ...fields } = JSON.parse(raw) as Record<string, unknown>;
    const known = LEVELS.find((one) => one === level) ?? "info";
    return { level: known, time: String(time ?? ""), area: String(area ?? ""), message: String(message ?? ""), fields, raw };
  } catch {
    // A line that was too long is cut in its middle.
    return { level: "info", time: "", area: "", message: raw, fields: {}, raw };
  }
}
