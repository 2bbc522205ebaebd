import type { JSX } from "preact";
import { remove } from "../../api/client";
import { Confirm, toast } from "../../ui";

/** Deletes a role after asking. */
export function DeleteRole({ engine, role, onClose, onDone }: { engine: string; role: string; onClose: () => void; onDone: () => void }): JSX.Element {
  return (
    <Confirm
      title={`Delete the role ${role}?`}
      verb="Delete"
      danger
      onClose={onClose}
      onConfirm={async () => {
        await remove(`${engine}/roles/${role}`);
        toast(`The role ${role} is deleted`);
        onDone();
      }}
    >
      Nobody is issued a credential by it any more. Those that it issued stay until their leases end; they can not be renewed.
    </Confirm>
  );
}
