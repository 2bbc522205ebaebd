import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { look, seal } from "../../session/server";
import { Door } from "../../shell/Door";
import { Button, Command, Field, Note, sentence } from "../../ui";
import { Keys } from "./Keys";
import { keys, type NewKeys } from "./keys";

const SHARES_MAX = 255;

/** A server that has never been used: it gets its keys. */
export function Initialise(): JSX.Element {
  return <Door wide>{keys.value ? <Keys given={keys.value} /> : <Form />}</Door>;
}

function Form(): JSX.Element {
  const bySeal = seal.value?.recovery_seal ?? false;
  const [shares, setShares] = useState("5");
  const [threshold, setThreshold] = useState("3");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const wrong = problem(Number(shares), Number(threshold));
  const what = bySeal ? "recovery" : "secret";
  const body = { [`${what}_shares`]: Number(shares), [`${what}_threshold`]: Number(threshold) };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (wrong || busy) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await write<Omit<NewKeys, "threshold">>("sys/init", body, { token: null, namespace: "" });
      keys.value = { ...data, threshold: Number(threshold) };
      await look();
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
      setBusy(false);
    }
  };
  return (
    <form class="stack wide" onSubmit={submit}>
      <div>
        <h1>A new server</h1>
        <p class="muted">
          {bySeal
            ? `It is opened by its seal (${seal.value?.type}). Recovery keys are for what people must allow together: a new root token, new keys, a move to another seal.`
            : "Everything it keeps is encrypted by one key, which is split into shares. Some of them together open the server after each start; fewer tell nothing."}
        </p>
      </div>
      <div class="grid">
        <Field label={bySeal ? "Recovery key shares" : "Key shares"} type="number" min={1} max={SHARES_MAX} value={shares} onInput={setShares} hint="One for each person who holds one." autoFocus required />
        <Field label="How many are needed" type="number" min={1} max={SHARES_MAX} value={threshold} onInput={setThreshold} hint="Any so many of them are enough." wrong={wrong} required />
      </div>
      {Number(shares) === 1 && !wrong && <Note tone="warn">One share means that one person, or one lost file, decides over everything. Good for trying out, not for more.</Note>}
      {error && <Note tone="bad">{error}</Note>}
      <div class="row apart">
        <Command cli={["operator", "init", `-${bySeal ? "recovery" : "key"}-shares=${shares}`, `-${bySeal ? "recovery" : "key"}-threshold=${threshold}`]} request={{ method: "POST", path: "sys/init", body }} />
        <Button type="submit" kind="primary" busy={busy} disabled={Boolean(wrong)}>
          Initialise
        </Button>
      </div>
      <p class="muted small">To have the shares encrypted for their holders by OpenPGP, use the command line: <code class="nowrap">coffer operator init -pgp-keys=…</code></p>
    </form>
  );
}

function problem(shares: number, threshold: number): string | null {
  if (!Number.isInteger(shares) || shares < 1 || shares > SHARES_MAX) return `Between 1 and ${SHARES_MAX} shares are possible`;
  if (!Number.isInteger(threshold) || threshold < 1) return "At least one is needed";
  if (threshold > shares) return "No more can be needed than there are";
  if (threshold === 1 && shares > 1) return "With several shares at least two have to be needed";
  return null;
}
