import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { look, seal } from "../../session/server";
import { Badge, Button, Card, Command, Confirm, Facts, Note, Page, Table, useLoad, when } from "../../ui";
import { useDenied } from "../../ui/useDenied";

interface Health {
  healthy: boolean;
  fully_wrapped?: boolean;
  unhealthy_since?: string;
  backends: { name: string; healthy: boolean; unhealthy_since?: string }[];
}
const EVERY_MS = 5_000;

/** How the server is sealed, whether its seals answer, and sealing it. */
export default function Seal(): JSX.Element {
  const state = seal.value;
  const health = useLoad(async (signal) => (await read("sys/seal-backend-status", { token: null, namespace: "", signal })).raw as unknown as Health, [], EVERY_MS);
  const [asked, setAsked] = useState(false);
  const denied = useDenied("sys/seal", "update");
  const backends = health.data?.backends ?? [];
  return (
    <Page
      title="Seal"
      lead="While it is unsealed the server holds the key to what it stores in memory. Sealed it holds nothing and answers nothing."
      actions={
        <Button kind="danger" icon="secrets" because={denied} onClick={() => setAsked(true)}>
          Seal the server
        </Button>
      }
    >
      {state && (
        <Card title="State">
          <Facts
            facts={[
              ["State", <Badge tone={state.sealed ? "bad" : "good"} dot>{state.sealed ? "sealed" : "unsealed"}</Badge>],
              ["Kind", state.type],
              [state.recovery_seal ? "Recovery keys" : "Unseal keys", `${state.t} of ${state.n} are needed`],
              ["Storage", state.storage_type],
              ["Cluster", state.cluster_name || null],
              ["Cluster id", (state.cluster_id as string | undefined) || null],
              ["Version", state.version],
              ["Moving to another seal", state.migration && "yes"],
            ]}
          />
        </Card>
      )}
      <Card title="Do its seals answer?" flush>
        <Table
          label="Seals"
          rows={backends}
          rowKey={({ name }) => name}
          empty={<p class="muted small">Nothing is known of them yet.</p>}
          columns={[
            { head: "Seal", cell: ({ name }) => <code class="break">{name}</code> },
            { head: "Health", cell: ({ healthy, unhealthy_since: since }) => <Badge tone={healthy ? "good" : "bad"} dot>{healthy ? "answers" : `does not answer${since ? ` since ${when(since)}` : ""}`}</Badge> },
          ]}
        />
      </Card>
      {health.data && !health.data.healthy && <Note tone="bad" title="The server could not open again after a restart">Look at the keeper of the key, at the network and at its credentials.</Note>}
      <Command cli={["operator", "seal"]} request={{ method: "POST", path: "sys/seal" }} />
      {asked && (
        <Confirm
          title="Seal the server?"
          verb="Seal"
          danger
          typed="seal"
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await write("sys/seal", {}, { namespace: "" });
            await look();
          }}
        >
          It answers nobody any more, at once. To open it again {state ? `${state.t} of ${state.n}` : "enough"} {state?.recovery_seal ? "seals or recovery keys" : "unseal keys"} are needed: make sure that their holders can be reached.
        </Confirm>
      )}
    </Page>
  );
}
