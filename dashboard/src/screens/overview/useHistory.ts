import { useEffect, useState } from "preact/hooks";
import { ApiError, read } from "../../api/client";
import { session } from "../../session";
import { surely } from "../../session/capabilities";
import { awaiting } from "../../ui/awaited";
import { scrape, total, type Scrape } from "./metrics";

/** What is remembered of one look. */
export interface Look {
  at: number;
  requests: number;
  leases: number;
  tokens: number;
  revocations: number;
  audited: number;
  memory: number;
}

/** The last looks, and what the newest of them said in full. */
export interface History {
  looks: Look[];
  latest: Scrape | null;
  /** The entities of now; null where this token may not ask. */
  entities: number | null;
  error: unknown;
}

const EVERY_MS = 2_000;
/** Tokens and entities are counted one by one, so they are counted less often. */
const COUNTED_EACH = 3;
/** Three minutes. */
const LOOKS_MAX = 90;

/** Looks at the server's counters every two seconds while the screen is open and visible. */
export function useHistory(): History {
  const [history, setHistory] = useState<History>({ looks: [], latest: null, entities: null, error: null });
  useEffect(() => {
    const ending = new AbortController();
    const there = awaiting();
    let timer = 0;
    let round = 0;
    let tokens: number | null = null;
    let entities: number | null = null;
    const look = async () => {
      if (!document.hidden) {
        try {
          const latest = await scrape({ signal: ending.signal });
          if (round++ % COUNTED_EACH === 0) [tokens, entities] = await Promise.all([count("tokens", "service_tokens", ending.signal), count("entities", "entities", ending.signal)]);
          setHistory(({ looks }) => ({ looks: [...looks.slice(1 - LOOKS_MAX), lookOf(latest, tokens)], latest, entities, error: null }));
        } catch (error) {
          if (ending.signal.aborted) return;
          setHistory((last) => ({ ...last, error }));
          // Asking again and again for what is refused would only fill somebody's audit log.
          if (error instanceof ApiError && error.isDenied) return;
        } finally {
          there();
        }
      }
      if (!ending.signal.aborted) timer = window.setTimeout(look, EVERY_MS);
    };
    void look();
    return () => {
      there();
      ending.abort();
      clearTimeout(timer);
    };
  }, []);
  return history;
}

/** How often a second something was counted, between each two looks. */
export function rates(looks: Look[], of: keyof Look): number[] {
  return looks.slice(1).map((look, index) => {
    const before = looks[index]!;
    const seconds = (look.at - before.at) / 1_000;
    // A counter that fell began anew with the server.
    return seconds > 0 ? Math.max(0, look[of] - before[of]) / seconds : 0;
  });
}

/** How many there are now; null where this token may not ask. */
async function count(what: string, counter: string, signal: AbortSignal): Promise<number | null> {
  const path = `sys/internal/counters/${what}`;
  if (!(await surely(path, "read", session.value?.home ?? ""))) return null;
  const answer = await read<{ counters: Record<string, { total: number } | undefined> }>(path, { namespace: "", signal }).catch(() => null);
  return answer?.data.counters[counter]?.total ?? null;
}

function lookOf(found: Scrape, tokens: number | null): Look {
  return {
    at: Date.now(),
    requests: total(found, "vault_core_handle_request_count") + total(found, "vault_core_handle_login_request_count"),
    // What `vault_expire_num_leases` says has the tokens with it, which have a number of their own here.
    leases: total(found, "vault_expire_leases_by_mount"),
    // Where this token may not have them counted, the gauge of the last minutes has to do.
    tokens: tokens ?? total(found, "vault_token_count"),
    revocations: total(found, "vault_expire_revoke_count"),
    audited: total(found, "vault_audit_log_request_count") + total(found, "vault_audit_log_response_count"),
    memory: total(found, "process_resident_memory_bytes"),
  };
}
