import { ApiError } from "./error";
import { parse, print } from "./json";
import { urlOf } from "./path";
import { bearer, namespaceHeader, refused } from "../session/bearer";

export { ApiError } from "./error";

/** What an answer has around its data. */
export interface Answer<T> {
  data: T;
  warnings: string[];
  auth: Auth | null;
  wrapInfo: WrapInfo | null;
  leaseId: string;
  leaseDuration: number;
  renewable: boolean;
  requestId: string;
  status: number;
  /** Everything as it came, for paths that answer without the usual frame (`sys/seal-status` …). */
  raw: Record<string, unknown>;
}

/** What a login gives. */
export interface Auth {
  client_token: string;
  accessor: string;
  policies: string[];
  token_policies: string[];
  metadata: Record<string, string> | null;
  lease_duration: number;
  renewable: boolean;
  entity_id: string;
  mfa_requirement?: MfaRequirement | null;
}

/** What a login wants besides. */
export interface MfaRequirement {
  mfa_request_id: string;
  mfa_constraints: Record<string, { any: { type: string; id: string; uses_passcode: boolean; name?: string }[] }>;
}

/** Where a wrapped answer is. */
export interface WrapInfo {
  token: string;
  accessor: string;
  ttl: number;
  creation_time: string;
  creation_path: string;
}

/** How to ask. */
export interface Options {
  /** Another namespace than the one chosen at the top of the page; "" is the root. */
  namespace?: string;
  /** Another token than the session's; null asks without one. */
  token?: string | null;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Wrap the answer for so long ("5m"). */
  wrapTtl?: string;
  /** Keep every number of the answer as it was written; see json.ts for what the answer is then. */
  exact?: boolean;
}

type Fields = Record<string, unknown>;

/** Reads what is at a path. */
export const read = <T = Fields>(path: string, options?: Options) => ask<T>("GET", path, undefined, options);

/** The names below a path; none where nothing is in what is mounted there. */
export async function list(path: string, options?: Options): Promise<string[]> {
  return (await listWithInfo(path, options)).keys;
}

/** The names below a path, with what the server says of each. */
export async function listWithInfo<I = Fields>(path: string, options?: Options): Promise<{ keys: string[]; info: Record<string, I> }> {
  try {
    const query = { ...options?.query, list: true };
    const { data } = await ask<{ keys?: string[]; key_info?: Record<string, I> } | null>("GET", path, undefined, { ...options, query });
    return { keys: data?.keys ?? [], info: data?.key_info ?? {} };
  } catch (error) {
    if (error instanceof ApiError && error.isMissing && !error.isUnmounted) return { keys: [], info: {} };
    throw error;
  }
}

/** Writes to a path. */
export const write = <T = Fields>(path: string, body: object = {}, options?: Options) => ask<T>("POST", path, body, options);

/** Changes fields of what is at a path, and leaves the others. */
export const patch = <T = Fields>(path: string, body: object, options?: Options) =>
  ask<T>("PATCH", path, body, { ...options, headers: { "Content-Type": "application/merge-patch+json", ...options?.headers } });

/** Deletes what is at a path. */
export const remove = <T = Fields>(path: string, options?: Options & { body?: object }) => ask<T>("DELETE", path, options?.body, options);

/** The bare text of an answer: Prometheus' metrics, PEM, snapshots. */
export async function readBlob(path: string, options?: Options): Promise<Blob> {
  const response = await send("GET", path, undefined, options);
  if (!response.ok) throw await refusal(response, path, options);
  return response.blob();
}

/** Sends a request and gives what `fetch` gives; for streams and files. */
export async function send(method: string, path: string, body?: BodyInit, options: Options = {}): Promise<Response> {
  const headers = new Headers({ "X-Vault-Request": "true", ...namespaceHeader(options.namespace), ...options.headers });
  const token = options.token === undefined ? bearer() : options.token;
  if (token) headers.set("X-Vault-Token", token);
  if (options.wrapTtl) headers.set("X-Vault-Wrap-TTL", options.wrapTtl);
  try {
    return await fetch(urlOf(path, options.query), {
      method,
      headers,
      body,
      signal: options.signal,
      // The token is in a header and nowhere else: no cookie ever speaks for anybody.
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) throw error;
    const away = new ApiError(0, [], [], path);
    if (options.token === undefined) refused(away);
    throw away;
  }
}

async function ask<T>(method: string, path: string, body: object | undefined, options: Options = {}): Promise<Answer<T>> {
  const json = body === undefined ? undefined : print(body, false);
  const headers = json === undefined ? options.headers : { "Content-Type": "application/json", ...options.headers };
  const response = await send(method, path, json, { ...options, headers });
  if (!response.ok) throw await refusal(response, path, options);
  const text = await response.text();
  return framed<T>((text ? parsed(text, path, options.exact) : {}) as Fields, response.status);
}

/** What the server sent, as an answer. */
export function framed<T>(raw: Fields, status: number): Answer<T> {
  return {
    data: ("data" in raw ? raw.data : raw) as T,
    warnings: (raw.warnings as string[] | null) ?? [],
    auth: (raw.auth as Auth | null) ?? null,
    wrapInfo: (raw.wrap_info as WrapInfo | null) ?? null,
    leaseId: (raw.lease_id as string) ?? "",
    leaseDuration: (raw.lease_duration as number) ?? 0,
    renewable: (raw.renewable as boolean) ?? false,
    requestId: (raw.request_id as string) ?? "",
    status,
    raw,
  };
}

function parsed(text: string, path: string, exact = false): unknown {
  try {
    return exact ? parse(text) : JSON.parse(text);
  } catch {
    throw new ApiError(502, ["the answer is not JSON: is there another server between?"], [], path);
  }
}

/** The error of an answer; the session is told of refusals, for its token may have ended. */
export async function refusal(response: Response, path: string, options: Options = {}): Promise<ApiError> {
  const error = await errorOf(response, path);
  // What another token is refused says nothing of the session.
  if (options.token === undefined) refused(error);
  return error;
}

async function errorOf(response: Response, path: string): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as { errors?: unknown[]; warnings?: string[] | null; data?: unknown };
    return new ApiError(response.status, (body.errors ?? []).map(String), body.warnings ?? [], path, body.data);
  } catch {
    return new ApiError(response.status, [], [], path);
  }
}
