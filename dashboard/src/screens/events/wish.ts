import { path } from "../../shell/router";
import { ALL, type Wish } from "./store";

/** The wish that an address holds. */
export function wishOf(query: URLSearchParams): Wish {
  const namespaces = (query.get("namespaces") ?? "").split(",").map((text) => text.trim()).filter(Boolean);
  return { kinds: query.get("kinds") || ALL.kinds, namespaces, filter: query.get("filter") ?? "" };
}

/** The address that holds a wish. */
export function placeOfWish({ kinds, namespaces, filter }: Wish): string {
  const query = new URLSearchParams();
  if (kinds !== ALL.kinds) query.set("kinds", kinds);
  if (namespaces.length > 0) query.set("namespaces", namespaces.join(","));
  if (filter) query.set("filter", filter);
  const search = query.toString();
  return path("events") + (search ? `?${search}` : "");
}

/** The wish in words. */
export function wordsOf({ kinds, namespaces, filter }: Wish): string {
  const where = namespaces.length === 0 ? "of this namespace" : namespaces.includes("*") ? "of this namespace and all below it" : `of this namespace and ${namespaces.join(", ")}`;
  return `${kinds === "*" ? "All kinds" : kinds} ${where}${filter ? `, where ${filter}` : ""}`;
}

/** Kinds that people begin with; others are typed. */
export const KINDS = ["*", "kv*", "lease/*", "token/*", "auth/login", "database/*", "policy/*", "mount/*", "identity/*", "namespace/*", "transit/*", "kms/*", "sys/*"];
