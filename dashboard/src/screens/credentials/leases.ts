import { ApiError, list, read, write } from "../../api/client";
import { onForget } from "../../session";

/** What `sys/leases/lookup` says of a lease. */
export interface Lease {
  id: string;
  path: string;
  issue_time: string;
  expire_time: string;
  last_renewal: string | null;
  renewable: boolean;
  ttl: number;
  revocation_error?: string;
  revocation_attempts?: number;
}

/** Where a request is made: leases are acted on in the namespace they are of. */
export interface Where {
  namespace?: string;
  signal?: AbortSignal;
}

/** Looks a lease up. */
export async function lookup(id: string, where: Where = {}): Promise<Lease> {
  const { data } = await write<Lease>("sys/leases/lookup", { lease_id: id }, where);
  learn(data);
  return data;
}

/** Whether an error says that the lease is gone. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.status === 400 && error.errors.some((text) => text.includes("invalid lease"));

/** The folders (`creds/`) and leases right below a prefix, which is empty or ends in a slash. */
export const below = (prefix: string, where: Where = {}): Promise<string[]> => list(`sys/leases/lookup/${prefix}`, where);

/** Ends a lease, and answers when that is done. */
export const revoke = (id: string, where: Where = {}): Promise<unknown> => write("sys/leases/revoke", { lease_id: id, sync: true }, where);

/** Ends every lease below a prefix. */
export const revokeBelow = (prefix: string): Promise<unknown> => write(`sys/leases/revoke-prefix/${bare(prefix)}`, { sync: true });

/** Forgets every lease below a prefix; what they stand for is left as it is. */
export const forgetBelow = (prefix: string): Promise<unknown> => write(`sys/leases/revoke-force/${bare(prefix)}`);

/** A prefix as the API's paths want it. */
export const bare = (prefix: string): string => prefix.replace(/\/$/, "");

/** What a renewal gave. */
export interface Renewal {
  seconds: number;
  renewable: boolean;
  warnings: string[];
}

/** Extends a lease, by the time that its role gives unless `increment` says another one. */
export async function renew(id: string, increment = "", where: Where = {}): Promise<Renewal> {
  const answer = await write("sys/leases/renew", { lease_id: id, increment: increment || undefined }, where);
  return { seconds: answer.leaseDuration, renewable: answer.renewable, warnings: answer.warnings };
}

/** A lease that could not be revoked so often that somebody should look at it. */
export interface Stuck {
  lease_id: string;
  error: string;
}

/** Such leases of the namespace at hand, at most so many. */
export async function irrevocable(limit: number, signal?: AbortSignal): Promise<Stuck[]> {
  return (await read<{ leases?: Stuck[] }>("sys/leases", { query: { type: "irrevocable", limit }, signal })).data.leases ?? [];
}

const CLOCKS_AGREE_MS = 1_500;
let ahead = 0;
onForget(() => (ahead = 0));

/** How far the server's clock is ahead: a lookup says when a lease ends, and in how many whole seconds. */
function learn({ expire_time, ttl }: Lease): void {
  if (ttl <= 0) return;
  const difference = Date.parse(expire_time) - ttl * 1_000 - 500 - Date.now();
  ahead = Math.abs(difference) < CLOCKS_AGREE_MS ? 0 : difference;
}

/** A time of the server by this machine's clock. */
export const local = (time: string): number => Date.parse(time) - ahead;

/** The whole life of a lease in seconds, since it was issued or last renewed. */
export const lifeOf = ({ issue_time, last_renewal, expire_time }: Pick<Lease, "issue_time" | "last_renewal" | "expire_time">): number =>
  Math.max(1, Math.round((Date.parse(expire_time) - Date.parse(last_renewal ?? issue_time)) / 1_000));
