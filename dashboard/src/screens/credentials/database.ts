import { list, read } from "../../api/client";
import { capabilities } from "../../session";
import { grants } from "../../session/capabilities";
import { engines } from "../../session/engines";
import type { Where } from "./leases";

/** A role: how users are made and removed. */
export interface Role {
  db_name: string;
  creation_statements: string[];
  revocation_statements: string[];
  rollback_statements: string[];
  renew_statements: string[];
  default_ttl: number;
  max_ttl: number;
}

/** A user that exists, whose password is rotated. */
export interface StaticRole {
  db_name: string;
  username: string;
  last_vault_rotation: string;
  rotation_period: number;
}

/** How a database is reached. */
export interface Connection {
  plugin_name: string;
  allowed_roles: string[];
  connection_details: { connection_url?: string; username?: string; [more: string]: unknown };
}

/** A name, and what is known of it: nothing where the token may list but not read. */
export interface Named<T> {
  name: string;
  about: T | null;
}

/** So many of a list are read one by one. */
export const READ_MAX = 100;
const AT_ONCE = 6;

/** The database engines that this token sees, by path. */
export async function databases(signal: AbortSignal): Promise<string[]> {
  return (await engines(signal)).filter(({ type }) => type === "database").map(({ path }) => path);
}

/** Reads a role. */
export const roleOf = async (mount: string, name: string, where: Where = {}): Promise<Role> => (await read<Role>(`${mount}/roles/${name}`, where)).data;

/** Statements as one text: what is a list for the API is a list still, each ended by a semicolon. */
export const asText = (statements: string[]): string => statements.map((one) => one.trim()).map((one, index, all) => (all.length > 1 && index < all.length - 1 && !one.endsWith(";") ? `${one};` : one)).join("\n");

/** What stands at a path of an engine, each one read if it may be. */
export async function all<T>(path: string, signal: AbortSignal): Promise<{ rows: Named<T>[]; more: number }> {
  const names = await list(path, { signal });
  const shown = names.slice(0, READ_MAX);
  // What would be refused is not asked for, so that audit logs stay quiet.
  const may = await capabilities(shown.map((name) => `${path}/${name}`));
  const about = async (at: string) => (grants(may[at], "read") ? ((await read<T>(at, { signal }).catch(() => null))?.data ?? null) : null);
  const rows = await inTurns(shown, async (name) => ({ name, about: await about(`${path}/${name}`) }));
  return { rows, more: Math.max(0, names.length - READ_MAX) };
}

/** Does something for each, a few at a time. */
export async function inTurns<A, B>(all: A[], each: (one: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) done.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(each))));
  return done;
}

const PRODUCTS: Record<string, string> = { "postgresql-database-plugin": "PostgreSQL" };

/** What a database is, in its maker's word. */
export const product = (plugin: string): string => PRODUCTS[plugin] ?? plugin;

/** The same of a connection; in general words where the token may not read it. */
export async function productOf(mount: string, connection: string, where: Where): Promise<string> {
  try {
    return product((await read<Connection>(`${mount}/config/${connection}`, where)).data.plugin_name) || "the database";
  } catch {
    return "the database";
  }
}
