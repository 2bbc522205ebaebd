import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { useCan } from "../../session";
import { Button, Confirm, Copy, toast } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { credentialOf } from "./StaticCredential";

/** What can be done with a static role. */
export function StaticActs({ engine, name, onShow, onDelete, onDone }: { engine: string; name: string; onShow: () => void; onDelete: () => void; onDone: () => void }): JSX.Element {
  const [rotating, setRotating] = useState(false);
  const readable = useCan(`${engine}/static-creds/${name}`, "read");
  const noRead = useDenied(`${engine}/static-creds/${name}`, "read");
  const noRotate = useDenied(`${engine}/rotate-role/${name}`, "update");
  const noDelete = useDenied(`${engine}/static-roles/${name}`, "delete");
  return (
    <span class="row end cred-both">
      {readable && <Copy text={async () => (await credentialOf(engine, name)).password} label={`Copy the password of ${name} without showing it`} />}
      <Button size="small" label={`Credential of ${name}`} because={noRead} onClick={onShow}>
        Credential
      </Button>
      <Button size="small" label={`Rotate now: ${name}`} because={noRotate} onClick={() => setRotating(true)}>
        Rotate now
      </Button>
      <Button size="small" kind="danger" label={`Delete ${name}`} because={noDelete} onClick={onDelete}>
        Delete
      </Button>
      {rotating && (
        <Confirm
          title={`Rotate ${name} now?`}
          verb="Rotate"
          onClose={() => setRotating(false)}
          onConfirm={async () => {
            await write(`${engine}/rotate-role/${name}`);
            toast(`${name} has a new password`);
            onDone();
          }}
        >
          Its user gets a new password at once. Who uses the old one has to read the new one.
        </Confirm>
      )}
    </span>
  );
}
