import "./credentials.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, href } from "../../shell/router";
import { Button, Card, Code, Command, duration, Facts, LinkButton, Loading, Page, Trouble, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import type { ScreenProps } from "../types";
import { asText, roleOf, type Role as Known } from "./database";
import { DeleteRole } from "./DeleteRole";
import { issuing, leasesAt, part, roleForm } from "./places";

/** One role: what runs when a user is made and removed. */
export default function Role({ params, query }: ScreenProps): JSX.Element {
  const engine = query.get("engine") ?? "";
  const name = params.name ?? "";
  const { data, error, reload } = useLoad((signal) => roleOf(engine, name, { signal }), [engine, name]);
  const [asking, setAsking] = useState(false);
  const path = `${engine}/roles/${name}`;
  const noEdit = useDenied(path, "update");
  const noDelete = useDenied(path, "delete");
  return (
    <Page
      title={name}
      crumbs={[{ title: "Roles", path: part("roles", engine) }]}
      lead={`A role of ${engine}/.`}
      actions={
        data && (
          <>
            <LinkButton kind="primary" icon="plus" href={href(issuing(engine, name))}>
              Issue a credential
            </LinkButton>
            <LinkButton href={href(leasesAt(`${engine}/creds/${name}/`))}>Live leases</LinkButton>
            <Button icon="edit" because={noEdit} onClick={() => go(roleForm(engine, name))}>
              Edit
            </Button>
            <Button kind="danger" icon="trash" because={noDelete} onClick={() => setAsking(true)}>
              Delete
            </Button>
          </>
        )
      }
    >
      {error ? <Trouble error={error} what="this role" onRetry={reload} /> : !data ? <Loading /> : <About role={data} />}
      <Command cli={["read", path]} request={{ method: "GET", path }} />
      {asking && <DeleteRole engine={engine} role={name} onClose={() => setAsking(false)} onDone={() => setTimeout(() => go(part("roles", engine)), 0)} />}
    </Page>
  );
}

function About({ role }: { role: Known }): JSX.Element {
  const parts: [string, string, string[]][] = [
    ["Makes a user", "", role.creation_statements],
    ["Removes a user", "No statements of its own: the login is forbidden, its sessions are ended, what it owns is handed over, and it is dropped.", role.revocation_statements],
    ["Extends a user", "No statements of its own: its VALID UNTIL is moved.", role.renew_statements],
    ["Cleans up after a creation that failed", "", role.rollback_statements],
  ];
  return (
    <>
      <Card title="What it gives">
        <Facts
          facts={[
            ["Connection", <code>{role.db_name}</code>],
            ["Lives", role.default_ttl ? duration(role.default_ttl) : "as long as the mount says"],
            ["At most", role.max_ttl ? `${duration(role.max_ttl)}, renewals included` : "as long as the mount says"],
          ]}
        />
      </Card>
      {parts.map(([title, otherwise, statements]) =>
        statements.length > 0 || otherwise ? (
          <Card key={title} title={title}>
            {statements.length > 0 ? <Code text={asText(statements)} label="Copy the statements" /> : <p class="muted small">{otherwise}</p>}
          </Card>
        ) : null,
      )}
    </>
  );
}
