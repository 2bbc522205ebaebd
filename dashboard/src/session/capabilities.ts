import { useEffect, useState } from "preact/hooks";
import { ApiError, write } from "../api/client";
import { namespace } from "./bearer";
import { onForget } from "./forget";
import { returns } from "./server";

/** What a policy can grant. */
export type Capability = "create" | "read" | "update" | "delete" | "list" | "scan" | "sudo" | "patch" | "subscribe" | "root" | "deny";

/** What a token may do at a path; undefined where the server could not be asked, or would not say. */
export type Known = Capability[] | undefined;

const KEPT_MS = 30_000;
/** No answer is no knowledge: it is asked again soon, but not by every button of a screen at once. */
const UNANSWERED_KEPT_MS = 2_000;
const KEPT_PATHS_MAX = 2_000;

interface Answer {
  until: number;
  found: Promise<Known>;
}

const kept = new Map<string, Answer>();
onForget(() => kept.clear());

/** What the token may do at each path, as `sys/capabilities-self` says. Answers are kept for half a minute. */
export async function capabilities(paths: string[], space = namespace.value): Promise<Record<string, Known>> {
  const now = Date.now();
  const key = (path: string) => `${space}\n${path}`;
  const missing = paths.filter((path) => (kept.get(key(path))?.until ?? 0) < now);
  if (missing.length > 0) {
    if (kept.size > KEPT_PATHS_MAX) kept.clear();
    const asked = ask(missing, space);
    for (const path of missing) kept.set(key(path), { until: now + KEPT_MS, found: asked.then((all) => all?.[path]) });
    void asked.then((all) => all || missing.forEach((path) => shorten(key(path), now)));
  }
  const found = paths.map(async (path) => [path, await kept.get(key(path))?.found] as const);
  return Object.fromEntries(await Promise.all(found));
}

/** Whether the token may do that; undefined until it is known, and as long as the server does not say. */
export function useCan(path: string, capability: Capability): boolean | undefined {
  const [known, setKnown] = useState<{ key: string; can: boolean | undefined } | undefined>(undefined);
  const key = JSON.stringify([namespace.value, path, capability]);
  const again = returns.value;
  useEffect(() => {
    let live = true;
    void capabilities([path]).then((all) => live && setKnown({ key, can: all[path] && grants(all[path], capability) }));
    return () => {
      live = false;
    };
  }, [key, again]);
  // What was known of another path says nothing of this one.
  return known?.key === key ? known.can : undefined;
}

/**
 * Whether a token whose home is `home` surely may do that in the root namespace: for what is asked again and again, where
 * refusals would only fill somebody's audit log.
 */
export async function surely(path: string, capability: Capability, home: string): Promise<boolean> {
  if (home !== "") return false;
  const known = (await capabilities([path], ""))[path];
  return known !== undefined && grants(known, capability);
}

/** Whether a list of capabilities has one, or all. Where nothing is known whoever wants may try: the server decides at each request anyway. */
export const grants = (all: Known, one: Capability): boolean => !all || all.includes("root") || all.includes(one);

/** Null if there was no answer. */
async function ask(paths: string[], space: string): Promise<Record<string, Capability[]> | null> {
  try {
    return (await write<Record<string, Capability[]>>("sys/capabilities-self", { paths }, { namespace: space })).data;
  } catch (error) {
    // A token without any policy may not even ask that. It is no use to ask again.
    return error instanceof ApiError && error.isDenied ? {} : null;
  }
}

function shorten(key: string, since: number): void {
  const answer = kept.get(key);
  if (answer?.until === since + KEPT_MS) answer.until = since + UNANSWERED_KEPT_MS;
}
