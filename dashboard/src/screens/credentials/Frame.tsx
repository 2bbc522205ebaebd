import "./credentials.css";
import type { ComponentChildren, JSX } from "preact";
import { go } from "../../shell/router";
import { Code, Empty, Loading, Page, Select, Tabs, Trouble, useLoad } from "../../ui";
import { databases } from "./database";
import { issuing, leasesAt, part } from "./places";

type Tab = "issue" | "leases" | "roles" | "static" | "connections";

interface Props {
  tab: Tab;
  /** The engine that the address names; the first one if none. */
  engine: string | null;
  actions?: (engine: string) => ComponentChildren;
  /** `picker` is the choice of an engine, where there are several; a screen of the tab `issue` places it. */
  children: (engine: string, picker: ComponentChildren) => ComponentChildren;
  /** What is shown below, whether there is an engine here or not. */
  below?: ComponentChildren;
}

const LEADS: Record<Tab, string> = {
  issue: "Database users that are made for you, live for a while, and end by themselves.",
  leases: "What was issued in this namespace and has not ended, whoever has it.",
  roles: "Which users are made, by which statements, and for how long.",
  static: "Users that stay, whose password is changed again and again.",
  connections: "How databases are reached, and which roles may use them.",
};

/** What the screens of database engines have in common: their parts, and the choice of an engine. */
export function Frame({ tab, engine, actions, children, below }: Props): JSX.Element {
  const { data, error, reload } = useLoad(databases, []);
  const chosen = engine ?? data?.[0] ?? "";
  const isThere = data?.includes(chosen);
  const options = (isThere ? (data ?? []) : [chosen, ...(data ?? [])]).map((path) => ({ value: path, label: `${path}/` }));
  const picker = options.length > 1 && <Select label="Engine" value={chosen} options={options} onInput={(next) => go(tab === "issue" ? issuing(next) : part(tab as "roles", next))} />;
  return (
    <Area tab={tab} engine={engine ?? ""} actions={isThere && actions?.(chosen)}>
      {error && !data ? (
        <Trouble error={error} what="the engines" onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : data.length === 0 ? (
        <NoEngine />
      ) : (
        <>
          {picker && (tab !== "issue" || !isThere) && <div class="cred-engine">{picker}</div>}
          {isThere ? children(chosen, picker) : <Empty icon="lease" title={`There is no database engine at ${chosen}/`} text="It may have been moved or disabled, or is in another namespace. Choose another one above." />}
        </>
      )}
      {data && below}
    </Area>
  );
}

/** The heading of this area and its parts. */
export function Area({ tab, engine, actions, children }: { tab: Tab; engine: string; actions?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  const tabs: [Tab, string, string][] = [
    ["issue", "Credentials", engine ? issuing(engine) : "/credentials"],
    ["leases", "Live leases", leasesAt("")],
    ["roles", "Roles", part("roles", engine)],
    ["static", "Static roles", part("static", engine)],
    ["connections", "Connections", part("connections", engine)],
  ];
  return (
    <Page title="Dynamic credentials" lead={LEADS[tab]} actions={actions}>
      <Tabs label="Parts of dynamic credentials" current={tabs.find(([name]) => name === tab)?.[2] ?? ""} tabs={tabs.map(([, title, path]) => ({ path, title }))} />
      {children}
    </Page>
  );
}

const STEPS = `coffer secrets enable database
coffer write database/config/shop \\
    plugin_name=postgresql-database-plugin \\
    connection_url='postgresql://{{username}}:{{password}}@127.0.0.1:5432/shop' \\
    username=coffer password=- allowed_roles='*'
coffer write database/roles/reader db_name=shop default_ttl=1h max_ttl=24h \\
    creation_statements=@reader.sql`;

function NoEngine(): JSX.Element {
  return (
    <div class="stack">
      <Empty icon="lease" title="No database engine is open to this token" text="Somebody who may enable engines mounts one, says how the database is reached, and writes a role: which users are made. A policy that grants a path of it makes it appear here." />
      <Code text={STEPS} label="Copy the commands" />
    </div>
  );
}
