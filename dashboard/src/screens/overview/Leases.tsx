import type { JSX } from "preact";
import { Card, Empty, Table } from "../../ui";
import type { Scrape } from "./metrics";

/** What is there as soon as leases were counted; servers with `usage_gauge_period = "none"` never count them. */
export const COUNTED = "vault_expire_num_leases";

/** How many leases each engine has now, and how many it has issued since the server started. */
export function Leases({ scraped }: { scraped: Scrape }): JSX.Element {
  const rows = byMount(scraped);
  const counted = scraped.has(COUNTED);
  const size = (row: Row) => (counted ? row.live : row.issued);
  const most = Math.max(1, ...rows.map(size));
  return (
    <Card title="Leases by engine" flush>
      <Table
        label="Leases by engine"
        rows={rows}
        rowKey={({ mount }) => mount}
        empty={<Empty title="No lease was issued yet" text="As soon as an engine issues a credential that ends, it is counted here." />}
        columns={[
          { head: "Mount", cell: ({ mount }) => <span class="mono break">{mount}</span> },
          {
            head: "Share",
            cell: (row) => (
              <div class="bar issued">
                <span style={{ width: `${(100 * size(row)) / most}%` }} />
              </div>
            ),
          },
          ...(counted ? [{ head: "Now", right: true, cell: ({ live }: Row) => live.toLocaleString() }] : []),
          { head: "Issued since the start", right: true, cell: ({ issued }) => <span class="muted">{issued.toLocaleString()}</span> },
        ]}
      />
    </Card>
  );
}

interface Row {
  mount: string;
  live: number;
  issued: number;
}

function byMount(scraped: Scrape): Row[] {
  const rows = new Map<string, Row>();
  const add = (name: string, field: "live" | "issued") => {
    for (const { labels, value } of scraped.get(name) ?? []) {
      const mount = nameOf(labels);
      const row = rows.get(mount) ?? { mount, live: 0, issued: 0 };
      row[field] += value;
      rows.set(mount, row);
    }
  };
  add("vault_expire_leases_by_mount", "live");
  add("vault_secret_lease_creation", "issued");
  return [...rows.values()].sort((one, other) => other.live - one.live || other.issued - one.issued || one.mount.localeCompare(other.mount));
}

function nameOf({ namespace, mount_point }: Record<string, string>): string {
  const space = namespace && namespace !== "root" ? namespace.replace(/\/?$/, "/") : "";
  return `${space}${mount_point ?? "?"}`;
}
