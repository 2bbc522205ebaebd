import type { JSX } from "preact";
import { href } from "../../shell/router";
import { Badge, Card, Command, Empty, Page, Table, Trouble, useLoad } from "../../ui";
import { Loading } from "../../ui/Loading";
import { mounts, type Kind } from "./kv";
import { placeOf } from "./places";

const KINDS: Record<Kind, string> = { kv2: "with versions", kv1: "without versions", cubbyhole: "of your token alone" };

/** The places where secrets are kept. */
export default function Mounts(): JSX.Element {
  const { data, error, reload } = useLoad(mounts, []);
  return (
    <Page title="Secrets" lead="Values kept by name. Choose a place to look into.">
      <Card flush>
        {error && !data ? (
          <Trouble error={error} what="the mounts" onRetry={reload} />
        ) : !data ? (
          <Loading />
        ) : (
          <Table
            label="Places with secrets"
            rows={data}
            rowKey={({ path }) => path}
            empty={<Empty icon="secrets" title="No place for secrets is open to this token" text="Somebody who may enable engines makes one: coffer secrets enable -path=secret -version=2 kv. A policy that grants a path of it makes it appear here." />}
            columns={[
              {
                head: "Path",
                cell: ({ path }) => (
                  <a class="mono break" href={href(placeOf(path, ""))}>
                    {path}/
                  </a>
                ),
              },
              { head: "Kept", cell: ({ kind }) => <Badge tone={kind === "kv2" ? "accent" : ""}>{KINDS[kind]}</Badge> },
              { head: "What it is for", cell: ({ description }) => <span class="muted break">{description || "–"}</span> },
            ]}
          />
        )}
      </Card>
      <Command cli={["secrets", "list"]} request={{ method: "GET", path: "sys/internal/ui/mounts" }} />
    </Page>
  );
}
