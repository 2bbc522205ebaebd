import { signal } from "@preact/signals";
import type { ApiError } from "../api/error";

// The token is in this variable and nowhere else: not in storage, not in a cookie, not in the page, not in its address.
let held: string | null = null;
let onRefusal: (error: ApiError) => void = () => {};

/** The namespace that is worked in, as `a/b/`; "" is the root. */
export const namespace = signal("");

/** The token of the person at work; only `api/` reads it. */
export const bearer = (): string | null => held;

/** Takes or forgets the token. */
export function hold(token: string | null): void {
  held = token;
}

/** The header that names a namespace. */
export function namespaceHeader(other?: string): Record<string, string> {
  const name = other ?? namespace.value;
  // A header's value is bytes, each written as one character; the server reads them as UTF-8.
  return name ? { "X-Vault-Namespace": String.fromCharCode(...new TextEncoder().encode(name)) } : {};
}

/** Tells the session that the server refused something. */
export const refused = (error: ApiError): void => onRefusal(error);

/** Sets who is told of refusals. */
export function listen(listener: (error: ApiError) => void): void {
  onRefusal = listener;
}
