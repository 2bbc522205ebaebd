import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { remove, write } from "../../api/client";
import { useDenied } from "../../ui/useDenied";
import { href } from "../../shell/router";
import { Button, Card, Command, Confirm, Dialog, Empty, Field, Note, sentence, Table, toast, Trouble, useLoad } from "../../ui";
import { aliasesOf, mountFlag, placeOfKey, segmentOf, type MasterKey } from "./kms";
import { wrongOf } from "./NewKey";
import { useDeniedBelow } from "../../session/below";

/** The names that stand for a key. Policies are about names, so each is a way of its own to the key. */
export function Aliases({ mount, at, onChange }: { mount: string; at: MasterKey; onChange: () => void }): JSX.Element {
  const { data, error, reload: loadAgain } = useLoad((signal) => aliasesOf(mount, at.key_id, signal), [mount, at.key_id]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<string | null>(null);
  const reload = () => (loadAgain(), onChange());
  const denied = useDeniedBelow(`${mount}/aliases/`, "create", "update");
  return (
    <Card
      flush
      title="Aliases"
      actions={
        <Button size="small" icon="plus" because={denied} onClick={() => setAdding(true)}>
          Add an alias
        </Button>
      }
    >
      {error && !data ? (
        <Trouble error={error} what="the aliases" onRetry={reload} />
      ) : (
        <Table
          label="Aliases"
          rows={data ?? []}
          rowKey={(alias) => alias}
          empty={<Empty title={data ? "No name stands for it" : "…"} text={data ? "A name can be given to another key later; an id can not." : undefined} />}
          columns={[
            {
              head: "Alias",
              cell: (alias) => (
                <a class="mono break" href={href(placeOfKey(mount, `alias:${segmentOf(alias)}`))}>
                  {alias}
                </a>
              ),
            },
            { head: "Actions", actions: true, cell: (alias) => <Remove mount={mount} alias={alias} onAsk={() => setRemoving(alias)} /> },
          ]}
        />
      )}
      {adding && <Add mount={mount} at={at} onClose={() => setAdding(false)} onDone={reload} />}
      {removing && (
        <Confirm
          title={`Remove ${removing}?`}
          verb="Remove"
          danger
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await remove(`${mount}/aliases/${segmentOf(removing)}`);
            toast(`Removed: ${removing}`);
            reload();
          }}
        >
          <div class="stack tight">
            <p>Whoever uses the key by that name is refused. The key stays.</p>
            <Command cli={["kms", "alias", "delete", ...mountFlag(mount), removing]} request={{ method: "DELETE", path: `${mount}/aliases/${segmentOf(removing)}` }} />
          </div>
        </Confirm>
      )}
    </Card>
  );
}

function Remove({ mount, alias, onAsk }: { mount: string; alias: string; onAsk: () => void }): JSX.Element {
  return <Button kind="quiet" size="small" icon="trash" label={`Remove ${alias}`} because={useDenied(`${mount}/aliases/${segmentOf(alias)}`, "delete")} onClick={onAsk} />;
}

function Add({ mount, at, onClose, onDone }: { mount: string; at: MasterKey; onClose: () => void; onDone: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string | null>(null);
  const name = typed.trim().replace(/^alias\//, "");
  const wrong = wrongOf(name);
  const path = `${mount}/aliases/${segmentOf(name) || "NAME"}`;
  const body = { target_key_id: at.key_id, create_only: true };
  const add = async () => {
    if (!name || wrong) return;
    setError(null);
    try {
      await write(path, body);
      toast(`alias/${name} stands for it`);
      onDone();
      onClose();
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  return (
    <Dialog title="Add an alias" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <Field label="Alias" mono value={typed} onInput={setTyped} autoFocus placeholder="app" wrong={wrong} hint="Whoever may use the alias may use the key by it." />
        {error && <Note tone="bad">{error}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!name} because={wrong ?? false}>
            Add
          </Button>
        </div>
        <Command cli={["kms", "alias", "create", ...mountFlag(mount), `-key=${at.key_id}`, `alias/${name || "NAME"}`]} request={{ method: "POST", path, body }} />
      </form>
    </Dialog>
  );
}
