import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { href } from "../../shell/router";
import { Badge, Button, Confirm, duration, Ring, Table, toast, useNow, warned } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { cards } from "./cards";
import { renew, revoke } from "./leases";
import type { Row } from "./living";
import { Over } from "./Over";
import { leasesAt } from "./places";
import { time } from "./time";

/** Leases with the time that is left to each. */
export function LeaseTable({ rows, refresh }: { rows: Row[]; refresh: (id: string) => Promise<void> }): JSX.Element {
  const [revoking, setRevoking] = useState<Row | null>(null);
  const noRenew = useDenied("sys/leases/renew", "update");
  const noRevoke = useDenied("sys/leases/revoke", "update");
  const mine = new Set(cards.value.map(({ id }) => id));
  return (
    <>
      <Table
        label="Leases"
        rows={rows}
        rowKey={({ id }) => id}
        columns={[
          { head: "Left", cell: (row) => <Left row={row} /> },
          {
            head: "Lease",
            cell: (row) => (
              <span class="row" data-lease={row.id} data-state={row.end ?? "live"}>
                <a class="mono break" href={href(leasesAt(row.id))}>
                  {row.id.slice(row.id.lastIndexOf("/") + 1)}
                </a>
                {mine.has(row.id) && <Badge tone="accent">issued here</Badge>}
                <State row={row} />
              </span>
            ),
          },
          { head: "Issued", cell: ({ issued }) => <span class="num nowrap">{time(issued)}</span> },
          { head: "Renewed", cell: ({ renewed }) => <span class="num nowrap">{renewed ? time(renewed) : "–"}</span> },
          { head: "Ends", cell: ({ expires, end, at }) => <span class="num nowrap">{end ? time(at) : Number.isNaN(expires) ? "not shown" : time(expires)}</span> },
          {
            head: "Actions",
            actions: true,
            cell: (row) =>
              row.end ? (
                ""
              ) : (
                <span class="row end cred-both">
                  <Button
                    size="small"
                    label={`Renew ${row.id}`}
                    because={noRenew || (!row.renewable && "This lease can not be renewed.")}
                    onClick={async () => {
                      warned((await renew(row.id)).warnings);
                      toast("The lease was extended");
                      await refresh(row.id);
                    }}
                  >
                    Renew
                  </Button>
                  <Button size="small" kind="danger" label={`Revoke ${row.id}`} because={noRevoke} onClick={() => setRevoking(row)}>
                    Revoke
                  </Button>
                </span>
              ),
          },
        ]}
      />
      {revoking && (
        <Confirm
          title="Revoke this lease?"
          verb="Revoke"
          danger
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await revoke(revoking.id);
            await refresh(revoking.id);
          }}
        >
          What was issued as <span class="mono">{revoking.id}</span> ends at once; whoever works with it is cut off. That can not be taken back.
        </Confirm>
      )}
    </>
  );
}

function Left({ row }: { row: Row }): JSX.Element {
  const now = useNow(1_000);
  if (Number.isNaN(row.expires)) return <span class="muted">–</span>;
  const left = row.end ? 0 : Math.max(0, Math.ceil((row.expires - now) / 1_000));
  return (
    <span class="cred-row">
      {row.end ? <Over how={row.end} small /> : <Ring expires={row.expires} ttl={row.ttl} size={40} />}
      <span class="num nowrap" aria-hidden="true">
        {row.end ? <span class="muted">ended</span> : left > 0 ? duration(left) : "ending"}
      </span>
    </span>
  );
}

/** What is to be said of a lease besides its time. */
function State({ row }: { row: Row }): JSX.Element | null {
  if (row.end) return <span class="cred-gone"><Badge>{row.end}</Badge></span>;
  if (!row.trouble) return null;
  return (
    <span class="stack tight">
      <span>
        <Badge tone="bad" dot>
          not revoked, tried {row.trouble.attempts} {row.trouble.attempts === 1 ? "time" : "times"}
        </Badge>
      </span>
      <span class="small break">{row.trouble.error}</span>
    </span>
  );
}
