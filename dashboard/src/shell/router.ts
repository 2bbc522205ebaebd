import { signal } from "@preact/signals";

/** Where the person is: the part of the address after `#`. */
export interface Place {
  path: string;
  query: URLSearchParams;
}

/** The current place. */
export const place = signal<Place>(read());

addEventListener("hashchange", () => (place.value = read()));

/** A path of segments that may have anything in them: `path("secrets", mount, name)`. */
export const path = (...segments: string[]): string => `/${segments.map(encodeURIComponent).join("/")}`;

/** A path whose last part keeps its slashes: `deep("/secrets/kv", "a/b c")` is `/secrets/kv/a/b%20c`. */
export const deep = (base: string, rest: string): string => `${base}/${rest.split("/").map(encodeURIComponent).join("/")}`;

/** The link to a path. */
export const href = (to: string): string => `#${to}`;

/** Goes to a path; `replace` leaves no step to come back to. `atOnce` draws nothing of this place any more, and asks nobody. */
export function go(to: string, { replace = false, atOnce = false } = {}): void {
  if (replace) history.replaceState(null, "", `#${to}`);
  else location.hash = to;
  if (replace || atOnce) place.value = read();
}

/** What a pattern (`/secrets/:mount/*`) finds in a path; null if it does not fit. `*` is `rest`. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/").slice(1);
  const given = path.split("/").slice(1);
  const params: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    if (word === "*") {
      params.rest = given.slice(index).map(decoded).join("/");
      return params;
    }
    const segment = given[index];
    if (segment === undefined) return null;
    if (word.startsWith(":") && segment !== "") params[word.slice(1)] = decoded(segment);
    else if (word !== segment) return null;
  }
  return given.length === wanted.length ? params : null;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.slice(1).split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
