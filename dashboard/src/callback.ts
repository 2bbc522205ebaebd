// The page to which an identity provider sends people back. It hands on what it was given and forgets it.
import "./style/tokens.css";
import "./style/base.css";
import "./style/callback.css";
import type { Returned } from "./session/providers";

// The channel on which `session/oidc.ts` listens.
const CHANNEL = "coffer-sign-in";
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
const given = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname);

const returned: Returned = {
  state: given.get("state") ?? "",
  code: given.get("code") ?? "",
  error: given.get("error") ? [given.get("error"), given.get("error_description")].filter(Boolean).join(": ") : "",
};
const channel = new BroadcastChannel(CHANNEL);
channel.onmessage = (event) => {
  if (event.data !== `taken ${returned.state}`) return;
  say("You are signed in; this window can be closed.");
  window.close();
};
channel.postMessage(returned);
setTimeout(() => say("Nobody waits for this sign-in any more. Close this window and begin again from the dashboard."), 5_000);

function say(text: string): void {
  document.getElementById("words")!.textContent = text;
}
