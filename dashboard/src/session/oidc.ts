import { ApiError, read, write, type Answer } from "../api/client";
import type { Returned } from "./providers";

// `callback.ts` has the same name; each has its own copy so that neither page loads a third file for it.
const CHANNEL = "coffer-sign-in";

const LOOK_EVERY_MS = 500;
const PATIENCE_MS = 10 * 60_000;

/**
 * Signs in at an identity provider, in a window of its own. Has to be called while a click is handled, or the browser lets no
 * window open. The nonce stays here, so what the provider sends back is worth nothing to anybody else.
 */
export async function signInAtProvider(mount: string, role: string, namespace: string, ending: AbortSignal): Promise<Answer<unknown>> {
  const opened = window.open("about:blank", "coffer-sign-in", "popup,width=520,height=720");
  if (!opened) throw new Error("The browser did not let a window open. Allow windows of this page, then try again.");
  try {
    const nonce = crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const options = { token: null, namespace };
    const callback = `${location.origin}/ui/vault/auth/${mount.split("/").map(encodeURIComponent).join("/")}/oidc/callback`;
    const begun = await write<{ auth_url: string }>(`auth/${mount}/oidc/auth_url`, { role, redirect_uri: callback, client_nonce: nonce }, options);
    const there = destination(begun.data.auth_url, callback);
    const state = there.searchParams.get("state") ?? "";
    const waiting = answered(state, opened, ending);
    opened.location.href = there.href;
    const { code, error } = await waiting;
    if (error) throw new Error(`The provider refused: ${error}`);
    return await read(`auth/${mount}/oidc/callback`, { ...options, query: { state, code, client_nonce: nonce } });
  } finally {
    opened.close();
  }
}

function destination(text: string, callback: string): URL {
  if (!text) throw new ApiError(400, [`the role does not allow to come back to ${callback}; add it to its allowed_redirect_uris`]);
  const there = new URL(text);
  // An address that is no web page must not run in this page's name.
  if (!["https:", "http:"].includes(there.protocol)) throw new Error("The provider's address is no web page.");
  return there;
}

/** Waits for the page that the provider sends people back to. */
function answered(state: string, opened: Window, ending: AbortSignal): Promise<Returned> {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(CHANNEL);
    const begun = Date.now();
    const end = (then: () => void) => {
      clearInterval(looking);
      channel.close();
      ending.removeEventListener("abort", given_up);
      then();
    };
    const given_up = () => end(() => reject(new DOMException("given up", "AbortError")));
    const looking = setInterval(() => {
      if (opened.closed) end(() => reject(new Error("The window was closed before the provider answered.")));
      if (Date.now() - begun > PATIENCE_MS) end(() => reject(new Error("The provider took too long.")));
    }, LOOK_EVERY_MS);
    ending.addEventListener("abort", given_up);
    channel.onmessage = ({ data }: MessageEvent<Returned>) => {
      // Another window's sign-in, or a forged one.
      if (typeof data !== "object" || data === null || data.state !== state || !state) return;
      channel.postMessage(`taken ${state}`);
      end(() => resolve({ state, code: String(data.code), error: String(data.error ?? "") }));
    };
  });
}
