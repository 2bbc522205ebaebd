import { ApiError, list, read, refusal, remove, send, write } from "../../api/client";
import { parse, print, type Fields } from "../../api/json";

/** How secrets are kept: with versions, without, or for one token alone. */
export type Kind = "kv2" | "kv1" | "cubbyhole";

/** A place where secrets are. */
export interface Mount {
  path: string;
  kind: Kind;
  description: string;
}

/** One version, as the metadata says. */
export interface Version {
  number: number;
  created: string;
  /** When it was or will be deleted; empty if never. */
  deletion: string;
  destroyed: boolean;
}

/** A secret's metadata. */
export interface Metadata {
  current: number;
  oldest: number;
  created: string;
  updated: string;
  maxVersions: number;
  casRequired: boolean;
  /** How often these settings were written; undefined where the server does not count it. */
  written?: number;
  deleteAfter: string;
  custom: Record<string, string>;
  versions: Version[];
}

/** What was read of a secret. `values` is null where the version is deleted or destroyed, or nothing is there. */
export interface Content {
  values: Fields | null;
  version: number;
  created: string;
  deletion: string;
  destroyed: boolean;
  /** How many seconds readers may go by it, where the secret says so itself (a field `ttl` without versions). */
  ttl?: number;
}

interface ListedMount {
  type: string;
  description?: string;
  options?: { version?: string } | null;
}

/** Where values are read and written. */
export const dataPath = ({ path, kind }: Mount, name: string): string => (kind === "kv2" ? `${path}/data/${name}` : `${path}/${name}`);
/** Where names are listed. */
export const listPath = ({ path, kind }: Mount, folder: string): string => (kind === "kv2" ? `${path}/metadata/${folder}` : `${path}/${folder}`);
/** Where versions and settings are. */
export const metadataPath = ({ path }: Mount, name: string): string => `${path}/metadata/${name}`;

/** All mounts with secrets that this token sees. */
export async function mounts(signal?: AbortSignal): Promise<Mount[]> {
  const { data } = await read<{ secret?: Record<string, ListedMount> }>("sys/internal/ui/mounts", { signal });
  return Object.entries(data.secret ?? {})
    .flatMap(([path, listed]) => mountOf(path, listed) ?? [])
    .sort((one, other) => one.path.localeCompare(other.path));
}

/** One mount; refuses what is none for secrets. */
export async function mount(path: string, signal?: AbortSignal): Promise<Mount> {
  const { data } = await read<ListedMount>(`sys/internal/ui/mounts/${path}`, { signal });
  const found = mountOf(path, data);
  if (!found) throw new Error(`${path}/ is an engine of the kind ${data.type}, which keeps no secrets by name.`);
  return found;
}

function mountOf(path: string, { type, description, options }: ListedMount): Mount | null {
  // Below the root namespace the cubbyhole's kind has a name of its own.
  const kind: Kind | null = type === "cubbyhole" || type === "ns_cubbyhole" ? "cubbyhole" : type === "kv" || type === "generic" ? (options?.version === "2" ? "kv2" : "kv1") : null;
  return kind && { path: path.replace(/\/$/, ""), kind, description: description ?? "" };
}

/** The names in a folder, folders first. */
export async function names(at: Mount, folder: string, signal?: AbortSignal): Promise<string[]> {
  const found = await list(listPath(at, folder), { signal });
  return found.sort((one, other) => Number(other.endsWith("/")) - Number(one.endsWith("/")) || one.localeCompare(other));
}

/** Reads a secret; where nothing is, `values` is null and `version` 0. */
export async function content(at: Mount, name: string, version?: number, signal?: AbortSignal): Promise<Content> {
  const path = dataPath(at, name);
  const response = await send("GET", path, undefined, { signal, query: { version } });
  if (!response.ok && response.status !== 404) throw await refusal(response, path);
  const answer = fieldsOf(await response.text());
  const data = answer.data as Fields | undefined;
  if (!data) return { values: null, version: 0, created: "", deletion: "", destroyed: false };
  if (at.kind !== "kv2") {
    const ttl = at.kind === "kv1" && ("ttl" in data || "lease" in data) ? Number(answer.lease_duration) || undefined : undefined;
    return { values: data, version: 0, created: "", deletion: "", destroyed: false, ttl };
  }
  const about = (data.metadata ?? {}) as Record<string, string & number & boolean>;
  return {
    values: (data.data as Fields | null) ?? null,
    version: Number(about.version ?? 0),
    created: about.created_time ?? "",
    deletion: about.deletion_time ?? "",
    destroyed: Boolean(about.destroyed),
  };
}

/** Writes values; with `cas` only if that version is still the latest. */
export async function put(at: Mount, name: string, values: Fields, cas?: number): Promise<number> {
  const path = dataPath(at, name);
  const body = at.kind === "kv2" ? { ...(cas === undefined ? {} : { options: { cas } }), data: values } : values;
  const response = await send("POST", path, print(body, false), { headers: { "Content-Type": "application/json" } });
  if (!response.ok) throw await refusal(response, path);
  const data = fieldsOf(await response.text()).data as { version?: number } | undefined;
  return Number(data?.version ?? 0);
}

/** Whether a write was refused because somebody else wrote meanwhile. */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 400 && /did not match the current version/.test(error.message);

/** Reads a secret's metadata. */
export async function metadata(at: Mount, name: string, signal?: AbortSignal): Promise<Metadata> {
  const { data } = await read(metadataPath(at, name), { signal });
  const versions = Object.entries((data.versions ?? {}) as Record<string, { created_time: string; deletion_time: string; destroyed: boolean }>);
  return {
    current: Number(data.current_version),
    oldest: Number(data.oldest_version),
    created: String(data.created_time),
    updated: String(data.updated_time),
    maxVersions: Number(data.max_versions),
    casRequired: Boolean(data.cas_required),
    written: data.current_metadata_version as number | undefined,
    deleteAfter: String(data.delete_version_after ?? "0s"),
    custom: (data.custom_metadata as Record<string, string> | null) ?? {},
    versions: versions
      .map(([number, one]) => ({ number: Number(number), created: one.created_time, deletion: one.deletion_time, destroyed: one.destroyed }))
      .sort((one, other) => other.number - one.number),
  };
}

/** Deletes versions so that they can be brought back, brings them back, or removes their values for good. */
export const change = (at: Mount, name: string, what: "delete" | "undelete" | "destroy", versions: number[]) =>
  write(`${at.path}/${what}/${name}`, { versions });

/** Deletes the latest version, or the whole secret where versions are not kept. */
export const removeLatest = (at: Mount, name: string) => remove(dataPath(at, name));

/** Whether a version has no values to show any more. */
export const isGone = ({ deletion, destroyed }: Pick<Version, "deletion" | "destroyed">): boolean => destroyed || (deletion !== "" && Date.parse(deletion) <= Date.now());

function fieldsOf(text: string): Fields {
  try {
    return text ? (parse(text) as Fields) : {};
  } catch {
    throw new ApiError(502, ["the answer is not JSON: is there another server between?"]);
  }
}
