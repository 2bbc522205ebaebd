import type { JSX } from "preact";
import { ApiError } from "../../api/client";
import { session } from "../../session";
import { seal } from "../../session/server";
import { Badge, Command, Note, Page, Stat, useLoad, useNow } from "../../ui";
import { duration } from "../../ui/duration";
import { Engines } from "./Engines";
import { facts, warnings, type Facts } from "./health";
import { COUNTED, Leases } from "./Leases";
import { total, type Scrape } from "./metrics";
import { rates, useHistory } from "./useHistory";

const FACTS_EVERY_MS = 15_000;
const MINUTE_MS = 60_000;

/** How the server is, in words and numbers. */
export default function Overview(): JSX.Element {
  const history = useHistory();
  const known = useLoad(facts, [], FACTS_EVERY_MS);
  const now = useNow(MINUTE_MS);
  const state = seal.value;
  const found = state && known.data ? warnings(state, known.data, history.latest, session.value, now) : [];
  return (
    <Page title="Overview" lead={<State known={known.data} scraped={history.latest} />}>
      {found.length > 0 && (
        <section class="stack tight" aria-label="What needs attention">
          {found.map(({ tone, title, text }) => (
            <Note key={title} tone={tone} title={title}>
              {text}
            </Note>
          ))}
        </section>
      )}
      <Numbers history={history} />
      <div class="halves">
        <Engines />
        {history.latest && <Leases scraped={history.latest} />}
      </div>
      <Command cli={["status"]} request={{ method: "GET", path: "sys/metrics", query: { format: "prometheus" } }} />
    </Page>
  );
}

/** The seal and the cluster in one sentence. */
function State({ known, scraped }: { known: Facts | undefined; scraped: Scrape | null }): JSX.Element | null {
  const state = seal.value;
  if (!state) return null;
  const keeper = state.type === "shamir" ? `opened by ${state.t} of ${state.n} key ${state.n === 1 ? "share" : "shares"}` : `opened by its seal (${state.type})`;
  const started = scraped && total(scraped, "process_start_time_seconds");
  return (
    <span class="row">
      <Badge tone={state.sealed ? "bad" : "good"} dot>
        {state.sealed ? "Sealed" : "Unsealed"}
      </Badge>
      <span>
        {state.cluster_name && `${state.cluster_name}, `}
        {keeper}; {cluster(known)}
        {started ? `; up for ${duration(Date.now() / 1_000 - started)}` : ""}.
      </span>
    </span>
  );
}

function cluster(known: Facts | undefined): string {
  const leader = known?.leader;
  if (!leader?.ha_enabled) return "a single node";
  return leader.is_self ? "this node leads its cluster" : `a standby node; ${leader.leader_address || "nobody"} leads`;
}

function Numbers({ history: { looks, latest, entities, error } }: { history: ReturnType<typeof useHistory> }): JSX.Element {
  if (error && !latest) {
    const denied = error instanceof ApiError && (error.isDenied || error.isMissing);
    return (
      <Note title="There are no live numbers for this token">
        {denied ? "They need read on sys/metrics in the root namespace, which no policy of this token grants." : error instanceof Error ? error.message : String(error)}
      </Note>
    );
  }
  const last = looks[looks.length - 1];
  const requests = rates(looks, "requests");
  const revocations = rates(looks, "revocations");
  const audited = rates(looks, "audited");
  const count = (value: number | undefined) => (value === undefined ? "–" : value.toLocaleString());
  const rate = (values: number[]) => (values.length ? `${(values[values.length - 1] ?? 0).toLocaleString(undefined, { maximumFractionDigits: 1 })} a second` : "");
  return (
    <section class="numbers" aria-label="Live numbers">
      <Stat label="Leases" value={latest?.has(COUNTED) === false ? "–" : count(last?.leases)} more={latest ? `${total(latest, "vault_expire_num_irrevocable_leases")} irrevocable` : ""} values={looks.map((look) => look.leases)} />
      <Stat label="Tokens" value={count(last?.tokens)} more={entities === null ? "" : `${entities.toLocaleString()} ${entities === 1 ? "entity" : "entities"}`} values={looks.map((look) => look.tokens)} />
      <Stat label="Requests" value={count(last?.requests)} more={rate(requests)} values={requests} />
      <Stat label="Revocations" value={count(last?.revocations)} more={latest ? `${total(latest, "vault_expire_lease_expiration")} by expiry` : ""} values={revocations} />
      <Stat label="Audit records" value={count(last?.audited)} more={rate(audited)} values={audited} />
      <Stat label="Memory" value={latest ? `${(total(latest, "process_resident_memory_bytes") / 1e6).toFixed(0)} MB` : "–"} more={latest ? `${total(latest, "vault_core_in_flight_requests")} in flight` : ""} values={looks.map((look) => look.memory / 1e6)} />
    </section>
  );
}

