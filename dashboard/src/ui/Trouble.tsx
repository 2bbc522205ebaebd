import type { JSX } from "preact";
import { ApiError } from "../api/error";
import { session } from "../session";
import { Button } from "./Button";
import { Empty } from "./Empty";
import { sentence } from "./Toast";

/** Something could not be read: says what, why, and what to do. */
export function Trouble({ error, what, onRetry }: { error: unknown; what?: string; onRetry?: () => void }): JSX.Element {
  const { title, text } = words(error, what);
  return (
    <div role="alert">
      <Empty icon="warn" title={title} text={text}>
        {onRetry && (
          <Button icon="refresh" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Empty>
    </div>
  );
}

function words(error: unknown, what = "this"): { title: string; text: string } {
  if (!(error instanceof ApiError)) return { title: `Could not load ${what}`, text: error instanceof Error ? error.message : String(error) };
  const said = error.errors.map(sentence).join(". ");
  switch (error.status) {
    case 0:
      return { title: "The server can not be reached", text: "Look whether it runs and whether this machine reaches it, then try again." };
    case 403:
      return {
        title: `Your token may not see ${what}`,
        text: `Nothing is broken: a policy that grants ${error.path ? `the path ${error.path}` : "it"} is missing. The policies of this token: ${session.value?.policies.join(", ") || "none"}. Ask whoever keeps the policies, or sign in as somebody else.`,
      };
    case 404:
      return { title: `There is nothing at ${error.path || "this place"}`, text: said || "It may have been deleted, or its mount moved or disabled." };
    case 429:
      return { title: "Too many requests", text: "A quota of this server was reached. Wait a moment, then try again." };
    case 503:
      return { title: "The server is not ready", text: said || "It is sealed or starting. Unseal it, then try again." };
    default:
      return { title: `Could not load ${what}`, text: said || error.message };
  }
}
