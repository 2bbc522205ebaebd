import "./rows.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listWithInfo, remove, write } from "../../api/client";
import { namespace } from "../../session";
import { Badge, Button, Card, Command, Confirm, Dialog, Empty, Field, Loading, Note, Page, Secret, sentence, Table, toast, Trouble, useLoad } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";
import { useDeniedBelow } from "../../session/below";

interface Info {
  id: string;
  path: string;
  locked: boolean;
  tainted: boolean;
  custom_metadata: Record<string, string> | null;
}
type Asked = { what: "create" } | { what: "lock" | "unlock" | "delete"; name: string } | { what: "key"; name: string; key: string };

/** The namespaces directly below the one at hand. */
export default function Namespaces(): JSX.Element {
  const { data, error, reload } = useLoad((signal) => listWithInfo<Info>("sys/namespaces", { signal }), []);
  const [asked, setAsked] = useState<Asked | null>(null);
  const createDenied = useDeniedBelow("sys/namespaces/", "create", "update");
  const rows = (data?.keys ?? []).map((key) => ({ name: key.replace(/\/$/, ""), ...data?.info[key] }));
  const close = () => setAsked(null);
  return (
    <Page
      title="Namespaces"
      lead={`Each has mounts, policies and identities of its own. These are below ${namespace.value || "the root"}.`}
      actions={
        <Button kind="primary" icon="plus" because={createDenied} onClick={() => setAsked({ what: "create" })}>
          New namespace
        </Button>
      }
    >
      {error ? <Trouble error={error} what="the namespaces" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <Card flush>
          <Table
            label="Namespaces"
            rows={rows}
            rowKey={({ name }) => name}
            empty={<Empty icon="space" title="No namespaces here" text="A team or a customer of its own gets one: nothing in it is seen from outside unless policies say so." />}
            columns={[
              {
                head: "Name",
                cell: ({ name }) => (
                  <button type="button" class="link mono break" onClick={() => (namespace.value = `${namespace.value}${name}/`)} title="Work in it">
                    {name}/
                  </button>
                ),
              },
              { head: "Id", cell: ({ id }) => <code class="muted">{id}</code> },
              { head: "State", cell: ({ locked, tainted }) => <span class="row">{locked && <Badge tone="warn">locked</Badge>}{tainted && <Badge tone="bad">being deleted</Badge>}{!locked && !tainted && <Badge tone="good" dot>open</Badge>}</span> },
              { head: "Notes", cell: ({ custom_metadata: notes }) => <span class="break small">{Object.entries(notes ?? {}).map(([name, value]) => `${name}=${value}`).join(", ")}</span> },
              {
                head: "Actions",
                actions: true,
                cell: ({ name, locked }) => (
                  <span class="row end">
                    <AllowedButton path={`sys/namespaces/api-lock/${locked ? "unlock" : "lock"}/${name}`} needs="update" size="small" label={`${locked ? "Unlock" : "Lock"} ${name}`} onClick={() => setAsked({ what: locked ? "unlock" : "lock", name })}>
                      {locked ? "Unlock" : "Lock"}
                    </AllowedButton>
                    <AllowedButton path={`sys/namespaces/${name}`} needs="delete" size="small" kind="danger" label={`Delete ${name}`} onClick={() => setAsked({ what: "delete", name })}>
                      Delete
                    </AllowedButton>
                  </span>
                ),
              },
            ]}
          />
        </Card>
      )}
      <Command cli={["namespace", "list"]} request={{ method: "LIST", path: "sys/namespaces" }} />
      {asked?.what === "create" && <Create onClose={close} onDone={reload} />}
      {asked?.what === "lock" && (
        <Confirm
          title={`Lock ${asked.name}/?`}
          verb="Lock"
          danger
          onClose={() => setAsked((now) => (now?.what === "key" ? now : null))}
          onConfirm={async () => {
            const { data } = await write<{ unlock_key: string }>(`sys/namespaces/api-lock/lock/${asked.name}`);
            setAsked({ what: "key", name: asked.name, key: data.unlock_key });
            reload();
          }}
        >
          It and all below it answer nothing any more until it is unlocked. The key that unlocks it is shown once.
        </Confirm>
      )}
      {asked?.what === "key" && (
        <Dialog title={`${asked.name}/ is locked`} onClose={close} stays>
          <div class="stack">
            <Note tone="warn">Keep the key that unlocks it: it is shown this once.</Note>
            <Secret value={asked.key} label="the unlock key" />
            <div class="actions">
              <Button kind="primary" onClick={close}>
                I have it
              </Button>
            </div>
          </div>
        </Dialog>
      )}
      {asked?.what === "unlock" && <Unlock name={asked.name} onClose={close} onDone={reload} />}
      {asked?.what === "delete" && (
        <Confirm
          title={`Delete ${asked.name}/?`}
          verb="Delete"
          danger
          typed={asked.name}
          onClose={close}
          onConfirm={async () => {
            await remove(`sys/namespaces/${asked.name}`);
            toast(`${asked.name}/ is being deleted`);
            reload();
          }}
        >
          All its secrets, mounts, policies and identities are deleted, and its tokens and leases are revoked. That can not be taken back.
        </Confirm>
      )}
    </Page>
  );
}

function Create({ onClose, onDone }: { onClose: () => void; onDone: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const path = name.trim().replace(/^\/+|\/+$/g, "");
  return (
    <Dialog title="New namespace" onClose={onClose}>
      <form
        class="stack"
        onSubmit={async (event) => {
          event.preventDefault();
          try {
            await write(`sys/namespaces/${path}`);
            toast(`${path}/ is made`);
            onDone();
            onClose();
          } catch (error) {
            setWrong(sentence(error instanceof Error ? error.message : String(error)));
          }
        }}
      >
        <Field label="Name" mono required autoFocus value={name} onInput={setName} />
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!path}>
            Create
          </Button>
        </div>
        <Command cli={["namespace", "create", path || "NAME"]} request={{ method: "POST", path: `sys/namespaces/${path || "NAME"}` }} />
      </form>
    </Dialog>
  );
}

function Unlock({ name, onClose, onDone }: { name: string; onClose: () => void; onDone: () => void }): JSX.Element {
  const [key, setKey] = useState("");
  return (
    <Confirm
      title={`Unlock ${name}/`}
      verb="Unlock"
      onClose={onClose}
      onConfirm={async () => {
        await write(`sys/namespaces/api-lock/unlock/${name}`, key.trim() ? { unlock_key: key.trim() } : {});
        toast(`${name}/ answers again`);
        onDone();
      }}
    >
      <Field label="Unlock key" type="password" mono value={key} onInput={setKey} hint="A root token needs none." />
    </Confirm>
  );
}
