import type { JSX } from "preact";
import { listWithInfo, read, readBlob, remove, write } from "../../api/client";
import { seal } from "../../session/server";
import { Badge, Button, Card, Code, Command, duration, Empty, Facts, Loading, Page, Select, Table, toast, useLoad, when, download } from "../../ui";
import { useDenied } from "../../ui/useDenied";

interface Sanitized {
  api_addr: string;
  cluster_addr: string;
  default_lease_ttl: number;
  max_lease_ttl: number;
  listeners: { type: string; config: Record<string, unknown> }[];
  storage: { type: string };
  seals?: { type: string; disabled: boolean }[];
  log_level: string;
}
interface Node {
  hostname: string;
  api_address: string;
  active_node: boolean;
  version: string;
}
const LEVELS = ["error", "warn", "info", "debug", "trace"];
const EVERY_MS = 5_000;

/** What runs here: version, configuration, nodes, what is being answered, and how much the log says. */
export default function Server(): JSX.Element {
  const config = useLoad(async (signal) => (await read<Sanitized>("sys/config/state/sanitized", { namespace: "", signal })).data, []);
  const nodes = useLoad(async (signal) => (await read<{ nodes: Node[] }>("sys/ha-status", { namespace: "", signal })).data.nodes, []);
  const versions = useLoad((signal) => listWithInfo<{ timestamp_installed: string }>("sys/version-history", { namespace: "", signal }), []);
  const metricsDenied = useDenied("sys/metrics", "read");
  const stepDenied = useDenied("sys/step-down", "update");
  return (
    <Page
      title="Server"
      lead={`Version ${seal.value?.version ?? ""}. No license is needed: all that it can do is in its one edition.`}
      actions={
        <Button icon="download" because={metricsDenied} onClick={async () => download("coffer-metrics.txt", await readBlob("sys/metrics", { namespace: "", query: { format: "prometheus" } }))}>
          Metrics
        </Button>
      }
    >
      <div class="halves">
        <Card title="Configuration">
          {config.error ? <Denied error={config.error} what="the configuration" /> : null}
          {!config.data && !config.error && <Loading />}
          {config.data && (
            <Facts
              facts={[
                ["API address", config.data.api_addr || null],
                ["Cluster address", config.data.cluster_addr || null],
                ["Listeners", config.data.listeners.map((one) => `${one.type} ${String(one.config.address ?? "")}${one.config.tls_disable ? " without TLS" : ""}`).join(", ")],
                ["Storage", config.data.storage.type],
                ["Seals", config.data.seals?.map(({ type }) => type).join(", ") || null],
                ["Leases", `${duration(config.data.default_lease_ttl)} by default, ${duration(config.data.max_lease_ttl)} at most`],
                ["Log", config.data.log_level || "info"],
              ]}
            />
          )}
        </Card>
        <Card title="Versions that ran here" flush>
          {versions.error ? <Denied error={versions.error} what="the history of versions" /> : null}
          {versions.data && (
            <Table
              label="Versions"
              rows={versions.data.keys}
              rowKey={(key) => key}
              empty={<Empty title="None are recorded" />}
              columns={[
                { head: "Version", cell: (key) => <code class="break">{key}</code> },
                { head: "Since", cell: (key) => when(versions.data!.info[key]?.timestamp_installed) },
              ]}
            />
          )}
        </Card>
      </div>
      {nodes.data && (
        <Card
          title="Nodes"
          flush
          actions={
            nodes.data.length > 1 && (
              <Button size="small" because={stepDenied} onClick={async () => (await write("sys/step-down", {}, { namespace: "" }), toast("Another node takes the lead"))}>
                Let another node lead
              </Button>
            )
          }
        >
          <Table
            label="Nodes"
            rows={nodes.data}
            rowKey={({ hostname, api_address }) => `${hostname} ${api_address}`}
            columns={[
              { head: "Host", cell: ({ hostname }) => <span class="break">{hostname}</span> },
              { head: "Address", cell: ({ api_address }) => <code class="break">{api_address}</code> },
              { head: "Role", cell: ({ active_node: active }) => <Badge tone={active ? "good" : ""} dot={active}>{active ? "active" : "standby"}</Badge> },
              { head: "Version", cell: ({ version }) => <span class="break">{version}</span> },
            ]}
          />
        </Card>
      )}
      <div class="halves">
        <InFlight />
        <Loggers />
      </div>
      <Metrics />
      <Command cli={["read", "sys/config/state/sanitized"]} request={{ method: "GET", path: "sys/config/state/sanitized" }} />
    </Page>
  );
}

function InFlight(): JSX.Element {
  const { data, error } = useLoad(
    async (signal) => Object.entries((await read<Record<string, { request_method: string; request_path: string; start_time: string; client_remote_address: string }>>("sys/in-flight-req", { namespace: "", signal })).data).map(([id, request]) => ({ id, ...request })),
    [],
    EVERY_MS,
  );
  return (
    <Card title="Being answered now" flush>
      {error && !data ? <Denied error={error} what="the requests in flight" /> : null}
      {data && (
        <Table
          label="Requests in flight"
          rows={data.slice(0, 30)}
          rowKey={({ id }) => id}
          empty={<Empty title="Nothing" />}
          columns={[
            { head: "Request", cell: ({ request_method, request_path }) => <span class="break">{request_method} <code>{request_path}</code></span> },
            { head: "From", cell: ({ client_remote_address }) => <code class="break">{client_remote_address}</code> },
            { head: "Since", cell: ({ start_time }) => `${Math.max(0, (Date.now() - Date.parse(start_time)) / 1_000).toFixed(1)} s`, right: true },
          ]}
        />
      )}
    </Card>
  );
}

function Loggers(): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Record<string, string>>("sys/loggers", { namespace: "", signal })).data, []);
  const denied = useDenied("sys/loggers", "update");
  const set = async (name: string, level: string) => {
    await write(name ? `sys/loggers/${name}` : "sys/loggers", { level }, { namespace: "" });
    reload();
  };
  return (
    <Card
      title="What the log says"
      flush
      actions={
        <Button size="small" because={denied} onClick={async () => (await remove("sys/loggers", { namespace: "" }), reload())}>
          As configured
        </Button>
      }
    >
      {error && !data ? <Denied error={error} what="the loggers" /> : null}
      {data && (
        <Table
          label="Loggers"
          rows={Object.entries(data)}
          rowKey={([name]) => name}
          columns={[
            { head: "Part", cell: ([name]) => <code class="break">{name}</code> },
            { head: "Level", cell: ([name, level]) => <Select label={`Level of ${name}`} bare value={level} disabled={Boolean(denied)} onInput={(next) => void set(name, next)} options={[...new Set([level, ...LEVELS])]} /> },
          ]}
        />
      )}
    </Card>
  );
}

function Metrics(): JSX.Element {
  return (
    <Card title="For Prometheus">
      <div class="stack tight">
        <p>Metrics, for a scraper whose token may read sys/metrics:</p>
        <Code text={`${location.origin}/v1/sys/metrics?format=prometheus`} label="Copy the address" />
      </div>
    </Card>
  );
}

const Denied = ({ error, what }: { error: unknown; what: string }): JSX.Element => <Empty icon="warn" title={`Your token may not see ${what}`} text={error instanceof Error ? error.message : String(error)} />;
