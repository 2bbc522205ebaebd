import type { JSX } from "preact";
import { Icon } from "../../ui";

/** What stands in the place of a ring once a lease has ended. The words beside it say how. */
export function Over({ how, small }: { how: "expired" | "revoked"; small?: boolean }): JSX.Element {
  return (
    <span class={`cred-over ${small ? "small" : ""}`}>
      <Icon name={how === "revoked" ? "close" : "clock"} size={small ? 16 : 24} />
    </span>
  );
}
