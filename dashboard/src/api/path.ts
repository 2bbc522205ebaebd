import { ApiError } from "./error";

/** The URL of a path of the API: each segment encoded, so that a name is never more than a name. */
export function urlOf(path: string, query?: Record<string, string | number | boolean | undefined>): string {
  const segments = path.replace(/^\/+/, "").split("/");
  // Browsers take these two for directions, however they are encoded.
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new ApiError(400, ["a path can not have '.' or '..' as one of its parts"], [], path);
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  const tail = search.toString();
  return `/v1/${segments.map(encodeURIComponent).join("/")}${tail ? `?${tail}` : ""}`;
}
