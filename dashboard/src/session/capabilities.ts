import { useEffect, useState } from "preact/hooks";
import { write } from "../api/client";
import { namespace } from "./bearer";
import { onForget } from "./forget";

/** What a policy can grant. */
export type Capability = "create" | "read" | "update" | "delete" | "list" | "scan" | "sudo" | "patch" | "subscribe" | "root" | "deny";

const KEPT_MS = 30_000;
const KEPT_PATHS_MAX = 2_000;
const kept = new Map<string, { since: number; found: Promise<Capability[]> }>();
onForget(() => kept.clear());

/** What the token may do at each path, as `sys/capabilities-self` says. Answers are kept for half a minute. */
export async function capabilities(paths: string[]): Promise<Record<string, Capability[]>> {
  const space = namespace.value;
  const now = Date.now();
  const key = (path: string) => `${space}\n${path}`;
  const missing = paths.filter((path) => now - (kept.get(key(path))?.since ?? 0) > KEPT_MS);
  if (missing.length > 0) {
    if (kept.size > KEPT_PATHS_MAX) kept.clear();
    const answer = write<Record<string, Capability[]>>("sys/capabilities-self", { paths: missing }).then(
      ({ data }) => data,
      // Whoever may not even ask may try: the server decides at each request anyway.
      () => ({}) as Record<string, Capability[]>,
    );
    for (const path of missing) kept.set(key(path), { since: now, found: answer.then((all) => all[path] ?? []) });
  }
  const found = paths.map(async (path) => [path, (await kept.get(key(path))?.found) ?? []] as const);
  return Object.fromEntries(await Promise.all(found));
}

/** Whether the token may do that; undefined until it is known. */
export function useCan(path: string, capability: Capability): boolean | undefined {
  const [can, setCan] = useState<boolean | undefined>(undefined);
  const space = namespace.value;
  useEffect(() => {
    let live = true;
    void capabilities([path]).then((all) => live && setCan(grants(all[path] ?? [], capability)));
    return () => {
      live = false;
    };
  }, [path, capability, space]);
  return can;
}

/** Whether a list of capabilities has one, or all. */
export const grants = (all: Capability[], one: Capability): boolean => all.includes("root") || all.includes(one);
