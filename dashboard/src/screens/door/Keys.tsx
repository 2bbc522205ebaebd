import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { write } from "../../api/client";
import { look, seal } from "../../session/server";
import { Button, Card, Check, download, Note, Secret, Table } from "../../ui";
import { keys, type NewKeys } from "./keys";

/** The keys of a new server, shown once. Nothing leads away from here until somebody says that they are kept. */
export function Keys({ given }: { given: NewKeys }): JSX.Element {
  const [kept, setKept] = useState(false);
  useEffect(() => {
    const stay = (event: Event) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, []);
  const recovery = given.recovery_keys_base64 ?? [];
  const shares = recovery.length ? recovery : given.keys_base64;
  const kind = recovery.length ? "Recovery key" : "Unseal key";
  const leave = async () => {
    keys.value = null;
    await look();
  };
  const unseal = async () => {
    for (const key of given.keys_base64.slice(0, given.threshold)) await write("sys/unseal", { key }, { token: null, namespace: "" });
    await leave();
  };
  return (
    <div class="stack wide">
      <div>
        <h1>Keep these keys</h1>
        <p class="muted">
          They are shown this once, and nobody can show them again. Without {given.threshold === 1 ? "one" : given.threshold} of them{" "}
          {recovery.length ? "nobody can make a new root token, new keys, or move the server to another seal." : "what this server keeps is lost for good."}
        </p>
      </div>
      <Card
        title={`${shares.length} ${shares.length === 1 ? "share" : "shares"}, of which ${given.threshold} ${given.threshold === 1 ? "is" : "are"} needed`}
        flush
        actions={
          <Button icon="download" onClick={() => download(`coffer-keys-${seal.value?.cluster_name ?? "new"}.json`, fileOf(given), "application/json")}>
            Download all as a file
          </Button>
        }
      >
        <Table
          label="The keys"
          rows={[...shares.map((value, index) => ({ name: `${kind} ${index + 1}`, value })), { name: "Initial root token", value: given.root_token }]}
          rowKey={({ name }) => name}
          columns={[
            { head: "What", cell: ({ name }) => name },
            { head: "Value", cell: ({ name, value }) => <Secret value={value} label={name} /> },
          ]}
        />
      </Card>
      <Note tone="warn" title="Each share to another person, the root token to nobody for long">
        Put each share where only its holder reaches it, then delete the file. Use the root token to set up other ways of signing in, then revoke it.
      </Note>
      <Check label="I have kept the keys and the root token." checked={kept} onInput={setKept} />
      <div class="row end">
        {given.keys_base64.length > 0 && (
          <Button disabled={!kept} onClick={unseal}>
            Unseal now with these keys
          </Button>
        )}
        <Button kind="primary" disabled={!kept} onClick={leave}>
          {given.keys_base64.length > 0 ? "Go on to unseal" : "Go on to sign in"}
        </Button>
      </div>
    </div>
  );
}

/** What `coffer operator init -format=json` writes, so that the same tools read it. */
function fileOf({ keys_base64, recovery_keys_base64, root_token, threshold }: NewKeys): string {
  const recovery = recovery_keys_base64 ?? [];
  const content = {
    unseal_keys_b64: keys_base64,
    unseal_shares: keys_base64.length,
    unseal_threshold: keys_base64.length ? threshold : 0,
    recovery_keys_b64: recovery,
    recovery_keys_shares: recovery.length,
    recovery_keys_threshold: recovery.length ? threshold : 0,
    root_token,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
