import type { JSX } from "preact";
import { engines } from "../../session/engines";
import { href, path } from "../../shell/router";
import { Card, Command, Empty, Loading, Page, Table, Trouble, useLoad } from "../../ui";

/** Where engines of a kind are mounted, to choose one. */
export function Chooser({ type, title, lead }: { type: string; title: string; lead: string }): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await engines(signal)).filter((engine) => engine.type === type), [type]);
  return (
    <Page title={title} lead={lead}>
      <Card flush>
        {error && !data ? (
          <Trouble error={error} what="the engines" onRetry={reload} />
        ) : !data ? (
          <Loading />
        ) : (
          <Table
            label={title}
            rows={data}
            rowKey={(engine) => engine.path}
            empty={<Empty icon="tools" title={`No ${type} engine is open to this token`} text={`Somebody who may enable engines makes one: coffer secrets enable ${type}. A policy that grants a path of it makes it appear here.`} />}
            columns={[
              {
                head: "Path",
                cell: (engine) => (
                  <a class="mono break" href={href(path(type, engine.path))}>
                    {engine.path}/
                  </a>
                ),
              },
              { head: "What it is for", cell: ({ description }) => <span class="muted break">{description || "–"}</span> },
            ]}
          />
        )}
      </Card>
      <Command cli={["secrets", "list"]} request={{ method: "GET", path: "sys/internal/ui/mounts" }} />
    </Page>
  );
}
