import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useCan } from "../../session";
import { Button, Command, Confirm, toast } from "../../ui";
import { bare, revokeBelow } from "./leases";

/** Ends everything below a prefix, after its path was typed. */
export function RevokeBelow({ prefix, alive, onDone }: { prefix: string; alive: number; onDone: () => void }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const path = `sys/leases/revoke-prefix/${bare(prefix)}`;
  const may = useCan(path, "update");
  const sudo = useCan(path, "sudo");
  return (
    <>
      <Button kind="danger" class="wraps" because={(may === false || sudo === false) && `It needs update and sudo on ${path}`} onClick={() => setAsking(true)}>
        Revoke all of {lastOf(prefix)}
      </Button>
      {asking && (
        <Confirm
          title={`Revoke all below ${prefix}?`}
          verb="Revoke all"
          danger
          typed={bare(prefix)}
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await revokeBelow(prefix);
            toast(`All leases below ${prefix} are revoked`);
            onDone();
          }}
        >
          <div class="stack">
            <span>
              Every lease below this path ends{alive > 0 && ` (${alive.toLocaleString()} right here, and those in folders)`}. Whoever works with one is cut off. That can not be taken back.
            </span>
            <Command cli={["lease", "revoke", "-prefix", bare(prefix)]} request={{ method: "POST", path, body: { sync: true } }} />
          </div>
        </Confirm>
      )}
    </>
  );
}

const lastOf = (prefix: string): string => `${bare(prefix).split("/").pop()}/`;
