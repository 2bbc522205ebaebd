import { read } from "../../api/client";
import { session, type Session } from "../../session";
import { surely } from "../../session/capabilities";
import type { SealStatus } from "../../session/server";
import { duration } from "../../ui/duration";
import { total, type Scrape } from "./metrics";

/** Something that somebody should know or do. */
export interface Warning {
  tone: "bad" | "warn" | "info";
  title: string;
  text: string;
}

/** What the server's own paths say of its health; a part that the token may not read is undefined. */
export interface Facts {
  auditDevices?: string[];
  sickSeals: string[];
  irrevocable?: { count: number; byMount: Record<string, number> };
  leader?: { ha_enabled: boolean; is_self: boolean; leader_address: string };
}

const SOON_MS = 60 * 60_000;

/** Reads what the warnings are made of. Nothing that is refused is asked for, so that audit logs stay quiet. */
export async function facts(signal: AbortSignal): Promise<Facts> {
  const options = { namespace: "", signal };
  const home = session.value?.home ?? "";
  const [mayAudit, mayCount] = await Promise.all([surely("sys/audit", "read", home), surely("sys/leases/count", "read", home)]);
  const [audit, seals, leases, leader] = await Promise.all([
    mayAudit ? read<Record<string, unknown>>("sys/audit", options).catch(() => null) : null,
    read("sys/seal-backend-status", { ...options, token: null }).catch(() => null),
    mayCount ? read<{ lease_count: number; counts: Record<string, number> }>("sys/leases/count", { ...options, query: { type: "irrevocable" } }).catch(() => null) : null,
    read("sys/leader", { ...options, token: null }).catch(() => null),
  ]);
  const backends = (seals?.raw.backends as { name: string; healthy: boolean }[] | undefined) ?? [];
  return {
    auditDevices: audit ? Object.keys(audit.data ?? {}) : undefined,
    sickSeals: backends.filter(({ healthy }) => !healthy).map(({ name }) => name),
    irrevocable: leases ? { count: leases.data.lease_count, byMount: leases.data.counts } : undefined,
    leader: leader?.raw as Facts["leader"],
  };
}

/** Everything worth a warning, the worst first. */
export function warnings(seal: SealStatus, known: Facts, scraped: Scrape | null, who: Session | null, now: number): Warning[] {
  const all: (Warning | false)[] = [
    known.sickSeals.length > 0 && {
      tone: "bad",
      title: `The seal ${known.sickSeals.join(", ")} does not answer`,
      text: "The server stays open, but it could not open again after a restart. Look at the keeper of its key, at the network and at its credentials.",
    },
    auditFailures(scraped) > 0 && {
      tone: "bad",
      title: `${auditFailures(scraped)} records could not be written to an audit device`,
      text: "If no device can write, requests are refused. Look at the device's disk or socket and at the server's log.",
    },
    (known.irrevocable?.count ?? 0) > 0 && {
      tone: "bad",
      title: `${known.irrevocable!.count} ${known.irrevocable!.count === 1 ? "lease" : "leases"} could not be revoked`,
      text: `Their credentials may still work: ${Object.entries(known.irrevocable!.byMount).map(([mount, count]) => `${count} of ${mount}`).join(", ")}. They are tried again and again; look at the database or service behind them.`,
    },
    seal.storage_type === "inmem" && {
      tone: "warn",
      title: "Nothing here outlives this process",
      text: "The storage is memory, as in development mode. Start the server with a configuration that names a disk before you keep anything that matters.",
    },
    known.auditDevices?.length === 0 && {
      tone: "warn",
      title: "No audit device is enabled",
      text: "Nobody records who asked for what. Enable one: coffer audit enable file file_path=/var/log/coffer/audit.log",
    },
    seal.type === "shamir" && seal.t === 1 && seal.storage_type !== "inmem" && {
      tone: "warn",
      title: "One key share opens this server",
      text: "Whoever has it decides alone. Rekey with several shares: coffer operator rekey -init -key-shares=5 -key-threshold=3",
    },
    location.protocol === "http:" && !isThisMachine(location.hostname) && {
      tone: "warn",
      title: "This connection is not encrypted",
      text: "Tokens and secrets can be read on their way. Give the listener a certificate (tls_cert_file, tls_key_file) and use https.",
    },
    who !== null && endsSoon(who, now) && {
      tone: "warn",
      title: `Your token ends in ${duration((who.expires! - now) / 1_000)}`,
      text: who.renewable ? "Renew it in the menu with your name, or sign in again." : "It can not be renewed: sign in again, then go on.",
    },
    who?.isRoot === true && {
      tone: "info",
      title: "You work with a root token",
      text: `Nothing holds it back${who?.expires === null ? ", and it never ends" : ""}. For daily work sign in as somebody whose policies grant what is needed, and revoke this token.`,
    },
  ];
  return all.filter((one): one is Warning => one !== false && one !== undefined);
}

const auditFailures = (scraped: Scrape | null): number => (scraped ? total(scraped, "vault_audit_log_request_failure") + total(scraped, "vault_audit_log_response_failure") : 0);
const endsSoon = (who: Session, now: number): boolean => who.expires !== null && who.expires - now < SOON_MS;
const isThisMachine = (host: string): boolean => host === "localhost" || host === "[::1]" || host.startsWith("127.");
