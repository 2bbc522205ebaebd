import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useCan } from "../../session";
import { href } from "../../shell/router";
import { Button, Card, Command, Confirm, Note, Table, toast, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { bare, forgetBelow, irrevocable, revoke } from "./leases";
import { leasesAt } from "./places";

const SHOWN_MAX = 100;
const LOOK_EVERY_MS = 10_000;

/** Leases below a prefix that could not be revoked: their credentials may still work. Nothing is drawn where there are none. */
export function Irrevocable({ prefix }: { prefix: string }): JSX.Element | null {
  const read = useCan("sys/leases", "read");
  const sudo = useCan("sys/leases", "sudo");
  const { data, reload } = useLoad(async (signal) => (read && sudo ? irrevocable(SHOWN_MAX + 1, signal) : []), [read, sudo], LOOK_EVERY_MS);
  const [forgetting, setForgetting] = useState<string | null>(null);
  const noRevoke = useDenied("sys/leases/revoke", "update");
  const stuck = (data ?? []).filter(({ lease_id }) => lease_id.startsWith(prefix));
  if (stuck.length === 0) return null;
  return (
    <Card flush title={`${stuck.length > SHOWN_MAX ? `More than ${SHOWN_MAX}` : stuck.length} could not be revoked`}>
      <div class="cred-pad">
        <Note tone="bad" title="These credentials may still work">
          Each is tried again and again. Mend what the error names (is the database up? may its user drop others? does the role have revocation_statements that fail?), then try again: repairing the role repairs its leases, too. Only if what is
          behind them is gone for good, let them be forgotten.
        </Note>
      </div>
      <Table
        label="Leases that could not be revoked"
        rows={stuck.slice(0, SHOWN_MAX)}
        rowKey={({ lease_id }) => lease_id}
        columns={[
          {
            head: "Lease",
            cell: ({ lease_id }) => (
              <a class="mono break" href={href(leasesAt(lease_id))}>
                {lease_id}
              </a>
            ),
          },
          { head: "Error", cell: ({ error }) => <span class="break">{error}</span> },
          {
            head: "Actions",
            actions: true,
            cell: ({ lease_id }) => (
              <span class="row end cred-both">
                <Button
                  size="small"
                  label={`Try again to revoke ${lease_id}`}
                  because={noRevoke}
                  onClick={async () => {
                    await revoke(lease_id);
                    toast("It is revoked");
                    reload();
                  }}
                >
                  Try again
                </Button>
                <Button size="small" kind="danger" label={`Forget … all below ${above(lease_id)}`} onClick={() => setForgetting(above(lease_id))}>
                  Forget …
                </Button>
              </span>
            ),
          },
        ]}
      />
      {forgetting && <Forget prefix={forgetting} onClose={() => setForgetting(null)} onDone={reload} />}
    </Card>
  );
}

function Forget({ prefix, onClose, onDone }: { prefix: string; onClose: () => void; onDone: () => void }): JSX.Element {
  return (
    <Confirm
      title={`Forget all below ${prefix}?`}
      verb="Forget"
      danger
      typed={bare(prefix)}
      onClose={onClose}
      onConfirm={async () => {
        await forgetBelow(prefix);
        toast(`The leases below ${prefix} are forgotten`);
        onDone();
      }}
    >
      <div class="stack">
        <span>
          Every lease below this path is forgotten, the healthy ones, too, and what could not be undone stays as it is: <strong>users in the database that are still there may go on logging in, and are then yours to remove.</strong>
        </span>
        <Command cli={["lease", "revoke", "-force", "-prefix", bare(prefix)]} request={{ method: "POST", path: `sys/leases/revoke-force/${bare(prefix)}` }} />
      </div>
    </Confirm>
  );
}

/** The prefix that a lease is below. */
const above = (id: string): string => id.slice(0, id.lastIndexOf("/") + 1);
