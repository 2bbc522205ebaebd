import type { JSX } from "preact";
import { Card, Empty, Table } from "../../ui";
import type { Scrape } from "./metrics";

/** How many leases each engine has issued since the server started. */
export function Issued({ scraped }: { scraped: Scrape }): JSX.Element {
  const rows = byMount(scraped);
  const most = Math.max(1, ...rows.map(({ count }) => count));
  return (
    <Card title="Leases issued since the start" flush>
      <Table
        label="Leases issued by engine"
        rows={rows}
        rowKey={({ mount }) => mount}
        empty={<Empty title="No lease was issued yet" text="As soon as an engine issues a credential that ends, it is counted here." />}
        columns={[
          { head: "Mount", cell: ({ mount }) => <span class="mono break">{mount}</span> },
          {
            head: "Share",
            cell: ({ count }) => (
              <div class="bar issued">
                <span style={{ width: `${(100 * count) / most}%` }} />
              </div>
            ),
          },
          { head: "Leases", right: true, cell: ({ count }) => count.toLocaleString() },
        ]}
      />
    </Card>
  );
}

function byMount(scraped: Scrape): { mount: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { labels, value } of scraped.get("vault_secret_lease_creation") ?? []) {
    const space = labels.namespace && labels.namespace !== "root" ? `${labels.namespace.replace(/\/?$/, "/")}` : "";
    const mount = `${space}${labels.mount_point ?? "?"}`;
    counts.set(mount, (counts.get(mount) ?? 0) + value);
  }
  return [...counts].map(([mount, count]) => ({ mount, count })).sort((one, other) => other.count - one.count);
}
