import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list } from "../../api/client";
import { session } from "../../session";
import { href, path } from "../../shell/router";
import { Badge, Card, Command, Empty, Field, LinkButton, Loading, Page, Table, Trouble, useLoad } from "../../ui";
import { useDeniedBelow } from "../../session/below";

const SHOWN_MAX = 500;

/** The policies of this namespace. */
export default function Policies(): JSX.Element {
  const [sought, setSought] = useState("");
  const { data, error, reload } = useLoad((signal) => list("sys/policies/acl", { signal }), []);
  const denied = useDeniedBelow("sys/policies/acl/", "create", "update");
  const found = (data ?? []).filter((name) => name.toLowerCase().includes(sought.toLowerCase()));
  const own = session.value?.policies ?? [];
  return (
    <Page
      title="Policies"
      lead="What tokens may do: each rule grants capabilities on paths. Whatever no rule grants is refused."
      actions={
        <>
          <LinkButton href={href("/access/explain")} icon="search">
            Explain a decision
          </LinkButton>
          {!denied && (
            <LinkButton href={href("/access/policies/new")} icon="plus" kind="primary">
              New policy
            </LinkButton>
          )}
        </>
      }
    >
      {error ? <Trouble error={error} what="the policies" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <>
          {data.length > 8 && <Field label="Find a policy" bare type="search" placeholder="Find by name" value={sought} onInput={setSought} />}
          <Card title={`${data.length} ${data.length === 1 ? "policy" : "policies"}`} flush>
            <Table
              label="Policies"
              rows={found.slice(0, SHOWN_MAX)}
              rowKey={(name) => name}
              empty={<Empty icon="search" title="No policy has that in its name" />}
              columns={[
                {
                  head: "Name",
                  cell: (name) => (
                    <a class="mono break" href={href(path("access", "policies", "edit", name))}>
                      {name}
                    </a>
                  ),
                },
                {
                  head: "About",
                  cell: (name) => (
                    <span class="row">
                      {own.includes(name) && <Badge tone="accent">your token has it</Badge>}
                      {(name === "root" || name === "default") && <Badge>built in</Badge>}
                    </span>
                  ),
                },
              ]}
            />
          </Card>
          {found.length > SHOWN_MAX && <p class="muted small">{found.length - SHOWN_MAX} more: find them by name.</p>}
        </>
      )}
      <Command cli={["policy", "list"]} request={{ method: "LIST", path: "sys/policies/acl" }} />
    </Page>
  );
}
