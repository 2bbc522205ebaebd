import { deep, path } from "../../shell/router";

/** The place of a folder (`a/b/`, or nothing) or a secret in a mount. */
export const placeOf = (mount: string, name: string, query: Record<string, string | number> = {}): string => {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return deep(path("secrets", mount), name) + (search ? `?${search}` : "");
};

/** The way to a secret or folder, from the outside in. */
export function crumbs(mount: string, name: string): { title: string; path: string }[] {
  const parts = name.split("/").filter((_, index, all) => index < all.length - (name.endsWith("/") ? 2 : 1));
  const folders = parts.map((part, index) => ({ title: part || "(no name)", path: placeOf(mount, `${parts.slice(0, index + 1).join("/")}/`) }));
  return [{ title: "Secrets", path: "/secrets" }, ...(name ? [{ title: mount, path: placeOf(mount, "") }] : []), ...folders];
}

/** The last part of a name. */
export const lastOf = (name: string): string => name.replace(/\/$/, "").split("/").pop() || name;
