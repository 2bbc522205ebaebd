import { ApiError, read } from "../api/client";
import { namespace } from "./bearer";
import type { Capability } from "./capabilities";
import { onForget } from "./forget";
import { session } from "./index";

/** What a rule of a policy grants at its path. */
export interface Rule {
  capabilities: Capability[];
}

/** All that a token is granted, as `sys/internal/ui/resultant-acl` says: exact paths, and what paths begin with. */
export interface Rules {
  root: boolean;
  exact_paths?: Record<string, Rule>;
  glob_paths?: Record<string, Rule>;
}

const KEPT_MS = 30_000;
let kept: { space: string; since: number; found: Promise<Rules | null> } | null = null;
onForget(() => (kept = null));

/** The rules of the session's token, kept for half a minute; null where the server does not say. */
export function rulesOfToken(): Promise<Rules | null> {
  const space = namespace.value;
  // In another namespace than its own a token's rules are about other paths.
  if (space !== (session.value?.home ?? "")) return Promise.resolve(null);
  if (kept?.space !== space || Date.now() - kept.since > KEPT_MS) {
    const found = read<Rules>("sys/internal/ui/resultant-acl").then(
      ({ data }) => data,
      (error: unknown) => {
        // No answer is no knowledge, and is asked again. A refusal stays one.
        if (!(error instanceof ApiError && error.isDenied)) kept = null;
        return null;
      },
    );
    kept = { space, since: Date.now(), found };
  }
  return kept.found;
}
