import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read } from "../../../api/client";
import { href, path } from "../../../shell/router";
import { Badge, Button, Card, Command, duration, Loading, Page, Table, Trouble, useLoad } from "../../../ui";
import { useDeniedBelow } from "../../../session/below";
import { Enable } from "./Enable";
import { stays, type Mount, type MountKind } from "./kinds";

/** What is mounted in this namespace, with a way to mount more. */
export function Mounts({ kind }: { kind: MountKind }): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Record<string, Mount>>(kind.base, { signal })).data, []);
  const [enabling, setEnabling] = useState(false);
  const denied = useDeniedBelow(`${kind.base}/`, "create", "update");
  const rows = Object.entries(data ?? {})
    .map(([at, mount]) => ({ at: at.replace(/\/$/, ""), ...mount }))
    .sort((one, other) => Number(stays(one)) - Number(stays(other)) || one.at.localeCompare(other.at));
  return (
    <Page
      title={kind.title}
      lead={kind.lead}
      actions={
        <Button kind="primary" icon="plus" because={denied} onClick={() => setEnabling(true)}>
          Enable
        </Button>
      }
    >
      {error ? <Trouble error={error} what={kind.title.toLowerCase()} onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <Card flush>
          <Table
            label={kind.title}
            rows={rows}
            rowKey={({ at }) => at}
            columns={[
              { head: "Path", cell: ({ at }) => <a class="mono break" href={href(`${kind.place}${path(at)}`)}>{`${at}/`}</a> },
              { head: "Type", cell: (mount) => <span class="row">{mount.type}{mount.options?.version && ` v${mount.options.version}`}{stays(mount) && <Badge>built in</Badge>}</span> },
              { head: "Description", cell: ({ description }) => <span class="break">{description}</span> },
              { head: "Lease", right: true, cell: ({ config }) => (config.default_lease_ttl ? duration(config.default_lease_ttl) : "default") },
            ]}
          />
        </Card>
      )}
      <Command cli={[kind.cli, "list"]} request={{ method: "GET", path: kind.base }} />
      {enabling && <Enable kind={kind} onClose={() => setEnabling(false)} onDone={reload} />}
    </Page>
  );
}
