import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { session, signOut } from "../../session";
import { look, seal, type SealStatus } from "../../session/server";
import { Door } from "../../shell/Door";
import { Button, Command, Field, Note, sentence, toast, useLoad } from "../../ui";

/** A sealed server: takes key shares until there are enough. */
export function Unseal(): JSX.Element {
  const state = seal.value!;
  return (
    <Door>
      <div class="stack wide">
        <div>
          <h1>The server is sealed</h1>
          <p class="muted">
            {state.recovery_seal
              ? `It opens by itself as soon as its seal (${state.type}) answers; this page then goes on.`
              : `Nothing can be read until ${state.t} of ${state.n} key ${state.n === 1 ? "share" : "shares"} are given. Each holder gives their own, here or from another machine.`}
          </p>
        </div>
        {session.value && (
          <Note title={`You stay signed in as ${session.value.displayName}`}>
            As soon as the server is open this page goes on where it was. <button type="button" class="link" onClick={() => void signOut()}>Sign out</button>
          </Note>
        )}
        {state.recovery_seal && <Keepers />}
        <Shares state={state} />
      </div>
    </Door>
  );
}

function Shares({ state }: { state: SealStatus }): JSX.Element {
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const word = state.recovery_seal ? "Recovery key share" : "Key share";
  const give = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const body = { key: key.trim(), ...(state.migration ? { migrate: true } : {}) };
      await write("sys/unseal", body, { token: null, namespace: "" });
      setKey("");
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    } finally {
      await look();
      setBusy(false);
    }
  };
  const reset = async () => {
    await write("sys/unseal", { reset: true }, { token: null, namespace: "" });
    await look();
    toast("All shares given so far are forgotten");
  };
  return (
    <form class="stack" onSubmit={give} aria-label="Unseal">
      <div class="stack tight">
        <div class="row apart small">
          <span id="progress-words" role="status">
            {state.progress} of {state.t} given
          </span>
          {state.progress > 0 && (
            <Button kind="quiet" size="small" onClick={reset}>
              Start over
            </Button>
          )}
        </div>
        <div class="bar" role="progressbar" aria-labelledby="progress-words" aria-valuemin={0} aria-valuemax={state.t} aria-valuenow={state.progress}>
          <span style={{ width: `${(100 * state.progress) / Math.max(1, state.t)}%` }} />
        </div>
      </div>
      {state.migration && <Note tone="warn">The server moves to another seal: these shares allow the move.</Note>}
      <Field label={word} type="password" mono value={key} onInput={setKey} autoFocus required />
      {error && <Note tone="bad">{error}</Note>}
      <Button type="submit" kind="primary" block busy={busy} disabled={!key.trim()}>
        Give this share
      </Button>
      <Command cli={["operator", "unseal"]} request={{ method: "POST", path: "sys/unseal", body: { key: "…" } }} />
    </form>
  );
}

function Keepers(): JSX.Element | null {
  const { data } = useLoad(async (signal) => (await read("sys/seal-backend-status", { token: null, namespace: "", signal })).raw as { healthy?: boolean; backends?: { name: string; healthy: boolean }[] }, [], 5_000);
  const sick = data?.backends?.filter(({ healthy }) => !healthy) ?? [];
  if (sick.length === 0) return null;
  return (
    <Note tone="warn" title={`${sick.map(({ name }) => name).join(", ")} ${sick.length === 1 ? "does" : "do"} not answer as ${sick.length === 1 ? "it" : "they"} should`}>
      The server tries again and again. Look at the keeper of the key, at the network and at the server's log.
    </Note>
  );
}
