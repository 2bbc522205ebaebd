import { read } from "../api/client";
import { namespace, onForget } from "../session";
import { described, type PathInfo } from "./description";
import { offerIn, type Offer } from "./offer";
import type { Document } from "./schema";

/** What was mounted meanwhile has to be found some time. */
const KEPT_MS = 60_000;

let kept: { space: string; since: number; found: Promise<Document> } | null = null;
onForget(() => (kept = null));

/** The description of everything in this namespace that the token can see. It is kept for a minute, unless a `fresh` one is wanted. */
function documentOf({ fresh = false } = {}): Promise<Document> {
  const space = namespace.value;
  const now = Date.now();
  if (!fresh && kept?.space === space && now - kept.since < KEPT_MS) return kept.found;
  const found = read<Document>("sys/internal/specs/openapi").then(({ data }) => data);
  const mine = { space, since: now, found };
  kept = mine;
  found.catch(() => kept === mine && (kept = null));
  return found;
}

/** Every path in this namespace that the token can see. */
export async function allPaths(): Promise<PathInfo[]> {
  return described(await documentOf());
}

/** The paths below a mount (`database`, `team/a/transit`, `auth/userpass`, `sys`). */
export async function pathsBelow(base: string): Promise<PathInfo[]> {
  const below = (paths: PathInfo[]) => paths.filter(({ path }) => path.startsWith(`${base}/`));
  const found = below(await allPaths());
  // It may have been mounted a moment ago.
  return found.length > 0 ? found : below(described(await documentOf({ fresh: true })));
}

/** What a mount offers. */
export const offerOf = async (base: string): Promise<Offer> => offerIn(base, await pathsBelow(base));
