import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { session, signOut } from "../session";
import { Confirm, failed, Icon, Menu, useNow } from "../ui";
import { duration } from "../ui/duration";
import { hasUnsaved, leaving } from "../ui/leaving";
import { prolong } from "./prolong";

/** Who is signed in, for how long, and the ways out. */
export function SessionMenu(): JSX.Element | null {
  const [asking, setAsking] = useState(false);
  const who = session.value;
  if (!who) return null;
  return (
    <>
      <Menu label={`Session of ${who.displayName}`} icon="access" kind="quiet" words={who.displayName}>
        {(close) => (
          <>
            <div class="item-note">
              <strong class="break">{who.displayName}</strong>
              <span class="muted small break">{who.policies.join(", ") || "no policies"}</span>
              <Ends expires={who.expires} />
            </div>
            <hr />
            {who.renewable && who.expires !== null && (
              <button type="button" class="item" onClick={() => (close(), void prolong().catch(failed))}>
                <Icon name="refresh" />
                Renew this token
              </button>
            )}
            <button type="button" class="item" onClick={() => (close(), leaving(() => signOut()))}>
              <Icon name="out" />
              Sign out
            </button>
            <button type="button" class="item" onClick={() => (close(), setAsking(true))}>
              <Icon name="trash" />
              Sign out and revoke the token
            </button>
          </>
        )}
      </Menu>
      {asking && (
        <Confirm title="Revoke this token?" verb="Revoke and sign out" danger onConfirm={() => signOut({ revoke: true })} onClose={() => setAsking(false)}>
          Whoever else uses this token loses it too, and everything leased with it is revoked.
          {hasUnsaved() && " What you changed here is not saved and will be lost."}
        </Confirm>
      )}
    </>
  );
}

function Ends({ expires }: { expires: number | null }): JSX.Element {
  const now = useNow(1_000);
  return <span class="muted small">{expires === null ? "This token never ends" : `Ends in ${duration((expires - now) / 1_000)}`}</span>;
}
