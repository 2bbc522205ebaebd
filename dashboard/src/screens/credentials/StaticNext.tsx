import type { JSX } from "preact";
import { Badge, duration, Ring, useNow } from "../../ui";
import type { Named, StaticRole } from "./database";
import { local } from "./leases";

/** Rotations are looked for every few seconds; one that is later than this has failed. */
const LATE_MS = 12_000;

/** How long the password is good for. */
export function StaticNext({ row: { about }, failing }: { row: Named<StaticRole>; failing: boolean }): JSX.Element {
  const now = useNow(1_000);
  if (!about) return <span class="muted">–</span>;
  const next = local(about.last_vault_rotation) + about.rotation_period * 1_000;
  const left = Math.max(0, Math.ceil((next - now) / 1_000));
  return (
    <span class="cred-row">
      <Ring expires={next} ttl={about.rotation_period} size={40} />
      <span class="small cred-two">
        {failing || now > next + LATE_MS ? (
          <span>
            <Badge tone="bad" dot>
              failing
            </Badge>
          </span>
        ) : (
          <span class="num nowrap">{left > 0 ? `in ${duration(left)}` : "any moment"}</span>
        )}
        <span class="muted nowrap">every {duration(about.rotation_period)}</span>
      </span>
    </span>
  );
}

