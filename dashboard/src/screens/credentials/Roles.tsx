import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, href } from "../../shell/router";
import { Button, Card, Command, duration, Empty, LinkButton, Loading, Table, Trouble, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import type { ScreenProps } from "../types";
import { ByName } from "./ByName";
import { all, type Role } from "./database";
import { Frame } from "./Frame";
import { issuing, leasesAt, part, roleAt, roleForm } from "./places";
import { DeleteRole } from "./DeleteRole";

/** The roles of an engine: which users are made, and for how long. */
export default function Roles({ query }: ScreenProps): JSX.Element {
  return (
    <Frame tab="roles" engine={query.get("engine")} actions={(engine) => <New engine={engine} />}>
      {(engine) => <Listed key={engine} engine={engine} />}
    </Frame>
  );
}

function New({ engine }: { engine: string }): JSX.Element {
  const denied = useDenied(`${engine}/roles/new`, "create");
  return denied ? (
    <Button icon="plus" because={denied}>
      Create a role
    </Button>
  ) : (
    <LinkButton kind="primary" icon="plus" href={href(roleForm(engine, null))}>
      Create a role
    </LinkButton>
  );
}

function Listed({ engine }: { engine: string }): JSX.Element {
  const { data, error, reload } = useLoad((signal) => all<Role>(`${engine}/roles`, signal), [engine]);
  const [gone, setGone] = useState<string | null>(null);
  if (error && !data) {
    return (
      <Card>
        <Trouble error={error} what="the roles" onRetry={reload} />
        <ByName label="Open a role by its name" onOpen={(name) => go(roleAt(engine, name))} />
      </Card>
    );
  }
  if (!data) return <Loading />;
  return (
    <>
      <Card flush foot={data.more > 0 && <span class="small muted">{data.more.toLocaleString()} more are not shown; list them with the command below.</span>}>
        <Table
          label="Roles"
          rows={data.rows}
          rowKey={({ name }) => name}
          empty={<Empty icon="lease" title="No role yet" text="A role says how users are made: at which database, with which statements, and for how long." />}
          columns={[
            {
              head: "Role",
              cell: ({ name }) => (
                <a class="mono break" href={href(roleAt(engine, name))}>
                  {name}
                </a>
              ),
            },
            { head: "Connection", cell: ({ about }) => (about ? <a class="mono break" href={href(part("connections", engine))}>{about.db_name}</a> : <span class="muted">–</span>) },
            { head: "Lives", cell: ({ about }) => (about ? life(about.default_ttl) : "–") },
            { head: "At most", cell: ({ about }) => (about ? life(about.max_ttl) : "–") },
            {
              head: "Actions",
              actions: true,
              cell: ({ name }) => (
                <span class="row end cred-both">
                  <LinkButton size="small" href={href(issuing(engine, name))}>
                    Issue
                  </LinkButton>
                  <LinkButton size="small" href={href(leasesAt(`${engine}/creds/${name}/`))}>
                    Leases
                  </LinkButton>
                  <Delete engine={engine} name={name} onClick={() => setGone(name)} />
                </span>
              ),
            },
          ]}
        />
      </Card>
      <Command cli={["list", `${engine}/roles`]} request={{ method: "GET", path: `${engine}/roles`, query: { list: true } }} />
      {gone !== null && <DeleteRole engine={engine} role={gone} onClose={() => setGone(null)} onDone={reload} />}
    </>
  );
}

function Delete({ engine, name, onClick }: { engine: string; name: string; onClick: () => void }): JSX.Element {
  return (
    <Button size="small" kind="danger" label={`Delete ${name}`} because={useDenied(`${engine}/roles/${name}`, "delete")} onClick={onClick}>
      Delete
    </Button>
  );
}

const life = (seconds: number): string => (seconds ? duration(seconds) : "as the mount says");
