import { effect, signal } from "@preact/signals";
import { ApiError, read, write, type Auth } from "../api/client";
import { bearer, hold, listen, namespace } from "./bearer";
import { forgetAll } from "./forget";
import { shownOnce } from "./once";
import { doubt } from "./server";

export { namespace } from "./bearer";
export { onForget } from "./forget";
export { capabilities, useCan, type Capability } from "./capabilities";

/** Who is at work. Never the token itself. */
export interface Session {
  displayName: string;
  accessor: string;
  policies: string[];
  entityId: string;
  path: string;
  type: string;
  /** When the token ends, in milliseconds since 1970; null if it never does. */
  expires: number | null;
  renewable: boolean;
  isRoot: boolean;
  /** The namespace that the token belongs to, as `a/b/`. */
  home: string;
  /** Whether each request takes one of a few uses. */
  isCounted: boolean;
}

interface Looked {
  display_name: string;
  accessor: string;
  policies: string[];
  identity_policies?: string[];
  entity_id: string;
  path: string;
  type: string;
  expire_time: string | null;
  renewable: boolean;
  namespace_path?: string;
  num_uses: number;
}

/** The session, while somebody is signed in. */
export const session = signal<Session | null>(null);
/** Why the last session ended, to be said on the sign-in screen. */
export const ended = signal<string | null>(null);

/** What of a session that ended by itself outlives the loading of the page: why, and where to sign in again. Nothing of what was read. */
interface Farewell {
  why: string;
  namespace: string;
}

takeFarewell();

/** Takes a token, if the server knows it. */
export async function signIn(token: string, inNamespace = namespace.value): Promise<void> {
  const { data } = await read<Looked>("auth/token/lookup-self", { token, namespace: inNamespace });
  hold(token);
  namespace.value = inNamespace || (data.namespace_path ?? "");
  ended.value = null;
  session.value = sessionOf(data);
}

/** Takes what a login gave. */
export const signInWith = (auth: Auth, inNamespace: string): Promise<void> => signIn(auth.client_token, inNamespace);

/** Looks at the session's token again: its policies and its end. */
export async function refresh(): Promise<void> {
  if (!bearer()) return;
  session.value = sessionOf((await read<Looked>("auth/token/lookup-self", { namespace: session.value?.home ?? "" })).data);
}

/** Prolongs the session's token; whether it got all the time that it asked for, or is at the end of what it may live. */
export async function renew(): Promise<{ isCapped: boolean }> {
  // The server alone knows, and warns of nothing else here: how far the end moved tells nothing, for one that is renewed at once moves it by no time.
  const { warnings } = await write("auth/token/renew-self", {}, { namespace: session.value?.home ?? "" });
  await refresh();
  return { isCapped: warnings.length > 0 };
}

/**
 * Forgets everything: the token, all that was read by it, the page's contents, and the place in the address. The page is then
 * loaded anew, so that nothing is left in its memory either.
 */
export async function signOut({ revoke = false } = {}): Promise<void> {
  if (revoke) await write("auth/token/revoke-self", {}, { namespace: session.value?.home ?? "" });
  drop();
  history.replaceState(null, "", "/ui/");
  location.reload();
}

function drop(): void {
  hold(null);
  session.value = null;
  namespace.value = "";
  forgetAll();
}

/** The token has ended: nothing stays but the place, so that whoever signs in again goes on there. */
function end(why: string): void {
  const farewell: Farewell = { why, namespace: namespace.value };
  drop();
  history.replaceState({ farewell }, "");
  location.reload();
}

function takeFarewell(): void {
  const { farewell } = (history.state ?? {}) as { farewell?: Farewell };
  if (!farewell) return;
  ended.value = farewell.why;
  namespace.value = farewell.namespace;
  history.replaceState(null, "");
}

const CHECK_EVERY_MS = 15_000;
/** Clocks differ, and the server ends tokens a moment after their time. */
const AFTER_END_MS = 1_000;
const TIMER_MAX_MS = 2 ** 31 - 1;
let looking = false;

/** Asks whether the token still lives; only the server knows. */
async function check(): Promise<void> {
  if (!session.value || looking) return;
  looking = true;
  const token = bearer();
  try {
    const { data } = await read<Looked>("auth/token/lookup-self", { token, namespace: session.value.home });
    const now = sessionOf(data);
    if (bearer() === token && JSON.stringify(now) !== JSON.stringify(session.value)) session.value = now;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403 || bearer() !== token) return;
    // It ends all the same, as soon as somebody says that they have it.
    if (shownOnce.value > 0) return;
    end("Your token has ended or was revoked. Sign in again to go on where you were.");
  } finally {
    looking = false;
  }
}

listen(({ status }) => {
  // It may mean that the token has ended, and one that nothing is asked with ends unseen.
  if (status === 403) void check();
  if (status === 0 || status === 503) doubt();
});
// Whose uses are counted is not asked for nothing.
const checkUnasked = () => void (document.hidden || session.value?.isCounted || check());
setInterval(checkUnasked, CHECK_EVERY_MS);
document.addEventListener("visibilitychange", checkUnasked);
shownOnce.subscribe((many) => many || checkUnasked());
effect(() => {
  const expires = session.value?.expires;
  if (!expires) return;
  const timer = setTimeout(checkUnasked, Math.min(TIMER_MAX_MS, Math.max(0, expires - Date.now()) + AFTER_END_MS));
  return () => clearTimeout(timer);
});

// A page that comes back from a browser's cache of pages has nothing to show any more.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

function sessionOf(data: Looked): Session {
  const policies = [...new Set([...data.policies, ...(data.identity_policies ?? [])])];
  return {
    displayName: data.display_name || "token",
    accessor: data.accessor,
    policies,
    entityId: data.entity_id,
    path: data.path,
    type: data.type,
    expires: data.expire_time ? Date.parse(data.expire_time) : null,
    renewable: data.renewable,
    isRoot: policies.includes("root"),
    home: data.namespace_path ?? "",
    isCounted: data.num_uses > 0,
  };
}
