import type { JSX } from "preact";
import { session } from "../session";
import { shownOnce } from "../session/once";
import { seal, unreachable } from "../session/server";
import { Initialise } from "../screens/door/Initialise";
import { SignIn } from "../screens/door/SignIn";
import { Unseal } from "../screens/door/Unseal";
import { keys } from "../screens/door/keys";
import { Loading, Trouble } from "../ui";
import { Toasts } from "../ui/Toast";
import { look } from "../session/server";
import { Door } from "./Door";
import { Shell } from "./Shell";

/** What the server's state and the session's call for. */
export function App(): JSX.Element {
  return (
    <>
      {content()}
      <Toasts />
    </>
  );
}

function content(): JSX.Element {
  const state = seal.value;
  if (!state) {
    return <Door>{unreachable.value ? <Trouble error={new Error(unreachable.value)} what="the server's state" onRetry={() => void look()} /> : <Loading />}</Door>;
  }
  // Keys that are shown once stay until somebody says that they are kept, whatever else changes.
  if (!state.initialized || keys.value) return <Initialise />;
  if (state.sealed && !shownOnce.value) return <Unseal />;
  return session.value ? <Shell /> : <SignIn />;
}
