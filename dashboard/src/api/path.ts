import { ApiError } from "./error";

/** What stands after the `?` of a URL. */
export type Query = Record<string, string | number | boolean | undefined>;

/** Whether a path has parts that browsers (and curl, if it is not told) take for directions, however they are encoded. */
export const hasDots = (path: string): boolean => path.split("/").some((segment) => segment === "." || segment === "..");

/** The URL of a path of the API that a browser can ask. */
export function urlOf(path: string, query?: Query): string {
  if (hasDots(path)) throw new ApiError(400, ["a path can not have '.' or '..' as one of its parts"], [], path);
  // The server sends whoever asks so to another path, and a page is not to be sent anywhere.
  if (path.replace(/^\/+/, "").split("/").slice(0, -1).includes("")) throw new ApiError(400, ["a path can not have two slashes in a row"], [], path);
  return encoded(path, query);
}

/** A path of the API as a URL: each segment encoded, so that a name is never more than a name. */
export function encoded(path: string, query?: Query): string {
  const segments = path.replace(/^\/+/, "").split("/");
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  const tail = search.toString();
  return `/v1/${segments.map(encodeURIComponent).join("/")}${tail ? `?${tail}` : ""}`;
}
