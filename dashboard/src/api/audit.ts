import { followLines } from "./follow";
import type { StreamState } from "./stream";

/** A line of an audit device. What is secret in it is hashed by the device's key. */
export interface AuditLine {
  time: string;
  type: "request" | "response" | "";
  error: string;
  id: string;
  operation: string;
  path: string;
  namespace: string;
  address: string;
  /** Who asked, for people. */
  who: string;
  /** The line as it came. */
  raw: string;
}

/** Follows the lines of an audit device until the returned function is called. What is recorded while the stream is cut is in the device's log alone. */
export function followAudit(device: string, onLine: (line: AuditLine) => void, onState: (state: StreamState) => void): () => void {
  return followLines(`sys/audit-tail/${device}`, undefined, (line) => onLine(parsed(line)), onState);
}

interface Written {
  time?: string;
  type?: "request" | "response";
  error?: string;
  auth?: { display_name?: string; entity_id?: string };
  request?: { id?: string; operation?: string; path?: string; remote_address?: string; namespace?: { path?: string } };
}

function parsed(raw: string): AuditLine {
  const { time = "", type = "", error = "", auth, request } = objectOf(raw);
  return {
    time,
    type,
    error,
    id: request?.id ?? "",
    operation: request?.operation ?? "",
    path: request?.path ?? "",
    namespace: request?.namespace?.path ?? "",
    address: request?.remote_address ?? "",
    who: auth?.display_name ?? "",
    raw,
  };
}

/** A device may write something of its operator's choice before each line. */
function objectOf(raw: string): Written {
  try {
    return JSON.parse(raw.slice(Math.max(0, raw.indexOf("{")))) as Written;
  } catch {
    return {};
  }
}
