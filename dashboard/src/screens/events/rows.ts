import type { CofferEvent } from "../../api/events";
import { gapOf, type Gap } from "./tail";

/** An event in the list. */
export interface EventRow {
  key: string;
  event: CofferEvent;
  /** What comes before the slash of its kind. */
  area: string;
  path: string;
  namespace: string;
  /** A few words on what is special about it. */
  more: string;
  /** Everything that a search looks at, in small letters. */
  text: string;
  arrived: number;
}

export type Row = EventRow | Gap;

/** A piece of an event's metadata as text. */
export const said = (event: CofferEvent, name: string): string => {
  const value = event.data.event.metadata[name];
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
};

/** Makes a row of what the server sent. */
export function rowOf(event: CofferEvent): Row {
  const kind = event.data.event_type;
  const arrived = Date.now();
  if (kind === "sys/events-gap") return gapOf(missing(said(event, "reason")), event.id);
  const namespace = event.data.namespace ?? "";
  const path = said(event, "path");
  const values = Object.keys(event.data.event.metadata).map((name) => said(event, name));
  return {
    key: event.id,
    event,
    area: kind.split("/")[0] ?? kind,
    path,
    namespace,
    more: words(event),
    text: [kind, namespace, ...values].join("\n").toLowerCase(),
    arrived,
  };
}

const REASONS: Record<string, string> = {
  crash: "The server was not stopped in order: events of that moment may be missing here.",
  seal: "Requests were still at work while the server was being sealed: what they did may be missing here.",
  storage: "The storage did not take events in time: some may be missing here.",
};
/** The server says that it lost events itself. */
const missing = (reason: string): string => REASONS[reason] ?? `Events may be missing here (${reason}).`;

/** How serious a kind is. The word says it; the colour only helps. */
export function toneOf(kind: string): "good" | "warn" | "bad" | "" {
  if (/-fail$|\/irrevocable$|events-gap$/.test(kind)) return "bad";
  if (/delete|revoke|expire|destroy|disable|\/seal$|\/lock$/.test(kind) && !/undelete|deletion-cancel/.test(kind)) return "warn";
  return "";
}

function words(event: CofferEvent): string {
  const at = (name: string) => said(event, name);
  const area = event.data.event_type.split("/")[0];
  if (at("current_version") && at("current_version") !== "0") return `version ${at("current_version")}`;
  if (area === "lease") return at("expire_time") ? `until ${clock(at("expire_time"))}` : "";
  if (area === "token" || area === "auth") return at("display_name");
  if (area === "mount" || area === "audit" || area === "quota") return at("type");
  if (area === "database") return at("db_name") && `on ${at("db_name")}`;
  if (at("latest_version")) return `version ${at("latest_version")}`;
  return area === "identity" ? at("name") : "";
}

/** A time of day, to the second. */
export const clock = (time: string | number): string => new Date(time).toLocaleTimeString(undefined, { hourCycle: "h23" });

/** A time of day, to the millisecond. */
export const fineClock = (time: string | number): string => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : `${clock(date.getTime())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
};

/** The day of a time; nothing for today. */
export const dayOf = (time: string | number): string => {
  const date = new Date(time);
  return date.toDateString() === new Date().toDateString() ? "" : date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
};
