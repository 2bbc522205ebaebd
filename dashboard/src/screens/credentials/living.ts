import { useEffect, useRef, useState } from "preact/hooks";
import type { CofferEvent } from "../../api/events";
import { useCan } from "../../session";
import { useLoad } from "../../ui";
import { inTurns } from "./database";
import { below, isGone, lifeOf, local, lookup } from "./leases";
import { told, useLeaseEvents } from "./stream";

/** A lease that is shown, alive or just ended. */
export interface Row {
  id: string;
  issued: number;
  renewed: number | null;
  expires: number;
  ttl: number;
  renewable: boolean;
  /** Why it could not be revoked, and how often that was tried. */
  trouble: { error: string; attempts: number } | null;
  end: "expired" | "revoked" | null;
  /** When this was so. */
  at: number;
}

/** What is below a prefix, as it is now. */
export interface Living {
  folders: string[];
  rows: Row[];
  /** So many leases are there besides those that are shown. */
  more: number;
  error: unknown;
  loading: boolean;
  /** Whether events come; else it is asked for every few seconds. */
  live: boolean;
  reload: () => void;
  /** Looks at one anew. */
  refresh: (id: string) => Promise<void>;
}

/** So many leases are shown at once. */
export const SHOWN_MAX = 200;
const ENDED_MAX = 50;
const POLL_MS = 4_000;
const POLL_BESIDE_EVENTS_MS = 30_000;
/** Of those that are known so many are looked at again with each poll, the longest known first. */
const AGAIN_AT_ONCE = 20;
const GATHER_MS = 120;
const CLOCK_MS = 1_500;

/** The leases right below a prefix (`database/creds/app/`), or the one of that id; they come, are renewed and end while one looks. */
export function useLiving(place: string): Living {
  const rows = useRef(new Map<string, Row>());
  const folders = useRef(new Set<string>());
  const [, draw] = useState(0);
  const redraw = () => draw((last) => last + 1);
  const [more, setMore] = useState(0);
  const mayLook = useCan("sys/leases/lookup", "update");
  const isOne = place !== "" && !place.endsWith("/");

  const look = async (id: string, signal?: AbortSignal) => {
    try {
      rows.current.set(id, rowOf(await lookup(id, { signal })));
    } catch (error) {
      if (!isGone(error)) throw error;
      end(rows.current, id);
      if (isOne && !rows.current.has(id)) throw error;
    }
  };
  const load = async (signal: AbortSignal) => {
    if (mayLook === undefined) return false;
    const names = isOne ? [""] : await inside(place, signal);
    const ids = names.filter((name) => !name.endsWith("/")).map((name) => place + name);
    folders.current = new Set(names.filter((name) => name.endsWith("/")));
    const there = new Set(ids);
    if (!isOne) for (const { id } of open(rows.current)) if (!there.has(id)) end(rows.current, id);
    const unknown = ids.filter((id) => !rows.current.has(id));
    const fresh = unknown.slice(0, Math.max(0, SHOWN_MAX - open(rows.current).length));
    // Beside events one that should have ended is looked at, too: its revocation may be failing.
    const known = open(rows.current).filter(({ expires }) => !live.current || isOne || expires < Date.now());
    const again = known.sort((one, other) => one.at - other.at).slice(0, AGAIN_AT_ONCE).map(({ id }) => id);
    if (mayLook) await inTurns([...fresh, ...again], (id) => look(id, signal));
    else for (const id of fresh) rows.current.set(id, unseen(id));
    setMore(unknown.length - fresh.length);
    trim(rows.current);
    return true;
  };

  const live = useRef(false);
  const loaded = useRef<() => void>(() => {});
  const gathered = useRef<CofferEvent[]>([]);
  const timer = useRef(0);
  const flush = () => {
    timer.current = 0;
    for (const event of gathered.current.splice(0)) apply(event, { place, rows: rows.current, folders: folders.current, look, redraw, reload: loaded.current });
    trim(rows.current);
    redraw();
  };
  live.current = useLeaseEvents({
    onGap: () => loaded.current(),
    onEvent: (event) => {
      if (!told(event, "lease_id").startsWith(place)) return;
      gathered.current.push(event);
      timer.current ||= window.setTimeout(flush, GATHER_MS);
    },
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  const state = useLoad(load, [place, mayLook], live.current ? POLL_BESIDE_EVENTS_MS : POLL_MS);
  loaded.current = state.reload;
  return {
    folders: [...folders.current].sort(),
    rows: [...rows.current.values()].sort((one, other) => other.issued - one.issued || one.id.localeCompare(other.id)),
    more,
    error: state.error,
    loading: !state.data && !state.error,
    live: live.current,
    reload: state.reload,
    refresh: async (id) => {
      await look(id);
      redraw();
    },
  };
}

const DEPTH_MAX = 5;

/** What is right below a prefix. Folders that have nothing but one folder are passed through. */
async function inside(place: string, signal: AbortSignal): Promise<string[]> {
  let names = await below(place, { signal });
  for (let depth = 0; depth < DEPTH_MAX && names.length === 1 && names[0]!.endsWith("/"); depth++) {
    const next = await below(place + names[0]!, { signal });
    if (next.length === 0 || next.some((name) => !name.endsWith("/"))) break;
    names = next.map((name) => names[0]! + name);
  }
  return names;
}

interface Shown {
  place: string;
  rows: Map<string, Row>;
  folders: Set<string>;
  look: (id: string) => Promise<void>;
  redraw: () => void;
  reload: () => void;
}

function apply(event: CofferEvent, { place, rows, folders, look, redraw, reload }: Shown): void {
  const id = told(event, "lease_id");
  const rest = id.slice(place.length);
  const kind = event.data.event_type;
  if (rest.includes("/")) {
    if (kind === "lease/create" && ![...folders].some((folder) => rest.startsWith(folder))) reload();
    return;
  }
  const row = rows.get(id);
  const at = local(event.time);
  const expires = local(told(event, "expire_time"));
  switch (kind) {
    case "lease/create":
      if (!row && open(rows).length < SHOWN_MAX) rows.set(id, { id, issued: at, renewed: null, expires, ttl: Math.max(1, Math.round((expires - at) / 1_000)), renewable: told(event, "renewable") === "true", trouble: null, end: null, at });
      break;
    case "lease/renew":
      if (row && !row.end && row.at < at) rows.set(id, { ...row, renewed: at, expires, ttl: Math.max(1, Math.round((expires - at) / 1_000)), at });
      break;
    case "lease/revoke":
    case "lease/expire":
      end(rows, id, kind === "lease/expire" ? "expired" : "revoked");
      break;
    case "lease/revoke-fail":
    case "lease/irrevocable":
      if (row) void look(id).then(redraw, () => {});
      break;
  }
}

function end(rows: Map<string, Row>, id: string, how?: Row["end"]): void {
  const row = rows.get(id);
  if (!row || row.end) return;
  rows.set(id, { ...row, end: how ?? (row.expires <= Date.now() + CLOCK_MS ? "expired" : "revoked"), trouble: null, at: Date.now() });
}

/** Those that ended stay a while, so that one sees what became of them; the oldest go first. */
function trim(rows: Map<string, Row>): void {
  const ended = [...rows.values()].filter((row) => row.end).sort((one, other) => other.at - one.at);
  for (const { id } of ended.slice(ENDED_MAX)) rows.delete(id);
}

const open = (rows: Map<string, Row>): Row[] => [...rows.values()].filter((row) => !row.end);

const rowOf = (lease: Parameters<typeof lifeOf>[0] & { id: string; renewable: boolean; revocation_error?: string; revocation_attempts?: number }): Row => ({
  id: lease.id,
  issued: local(lease.issue_time),
  renewed: lease.last_renewal ? local(lease.last_renewal) : null,
  expires: local(lease.expire_time),
  ttl: lifeOf(lease),
  renewable: lease.renewable,
  trouble: lease.revocation_attempts ? { error: lease.revocation_error ?? "", attempts: lease.revocation_attempts } : null,
  end: null,
  at: Date.now(),
});

/** One that may be listed but not looked at. */
const unseen = (id: string): Row => ({ id, issued: 0, renewed: null, expires: NaN, ttl: 0, renewable: false, trouble: null, end: null, at: Date.now() });
