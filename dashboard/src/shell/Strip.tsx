import type { JSX } from "preact";
import { session } from "../session";
import { unreachable } from "../session/server";
import { Button, useNow } from "../ui";
import { duration } from "../ui/duration";
import { prolong } from "./prolong";

const SOON_MS = 3 * 60_000;

/** What somebody must know wherever they are: that the server is away, or that their token ends in a moment. */
export function Strip(): JSX.Element | null {
  const expires = session.value?.expires ?? null;
  if (unreachable.value) {
    return (
      <div class="strip" role="alert">
        The server can not be reached; what is shown may be old. It is tried again and again.
      </div>
    );
  }
  return expires === null ? null : <Ending expires={expires} />;
}

function Ending({ expires }: { expires: number }): JSX.Element | null {
  const left = expires - useNow(1_000);
  if (left > SOON_MS) return null;
  const renewable = session.value?.renewable ?? false;
  return (
    <div class="strip">
      <span role="alert">
        {/* Read out once, not every second. */}
        <span class="visually-hidden">Your token ends within {duration(SOON_MS / 1_000)}.</span>
        <span aria-hidden="true">Your token ends in {duration(left / 1_000)}.</span> {renewable ? "" : "It can not be renewed: save what you want to keep."}
      </span>
      {renewable && (
        <Button size="small" icon="refresh" onClick={prolong}>
          Renew it
        </Button>
      )}
    </div>
  );
}
