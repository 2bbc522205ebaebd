import { signal } from "@preact/signals";
import { read } from "../api/client";
import { namespace } from "./bearer";
import { onForget } from "./forget";

/** A secrets engine that is mounted. */
export interface Engine {
  /** Where, without the slash at the end. */
  path: string;
  type: string;
  description: string;
  /** Of key/value stores: "1" or "2"; else empty. */
  version: string;
}

interface Mounted {
  type: string;
  description?: string;
  options?: { version?: string } | null;
}

/** The engines that the token saw when they were last looked at; the navigation shows places by them. */
export const seen = signal<Engine[]>([]);
onForget(() => (seen.value = []));

/** The engines that this token sees, in the order of their paths. */
export async function engines(abort?: AbortSignal): Promise<Engine[]> {
  const space = namespace.value;
  const { data } = await read<{ secret?: Record<string, Mounted> }>("sys/internal/ui/mounts", { signal: abort });
  const found = Object.entries(data.secret ?? {})
    .map(([path, { type, description, options }]) => ({ path: path.replace(/\/$/, ""), type, description: description ?? "", version: options?.version ?? "" }))
    .sort((one, other) => one.path.localeCompare(other.path));
  if (space === namespace.value) seen.value = found;
  return found;
}
