import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, remove, write } from "../../api/client";
import { onForget } from "../../session";
import { look, seal } from "../../session/server";
import { signal } from "@preact/signals";
import { Button, Card, Check, Command, Dialog, download, Field, Note, Secret, sentence, Table, toast, useLoad } from "../../ui";
import { useUnsaved } from "../../ui/useUnsaved";
import { Progress } from "./Progress";

interface Attempt {
  started: boolean;
  nonce: string;
  t: number;
  n: number;
  progress: number;
  required: number;
  verification_required: boolean;
}
interface Verification {
  started: boolean;
  nonce: string;
  t: number;
  n: number;
  progress: number;
}
interface Made {
  complete?: boolean;
  keys_base64?: string[];
  verification_required?: boolean;
  verification_nonce?: string;
}
const EVERY_MS = 3_000;

/** New shares, shown once: they stay until somebody says that they are kept, whatever else is looked at. */
const made = signal<{ keys: string[]; verify: boolean } | null>(null);
onForget(() => (made.value = null));

/** New shares in the place of the old ones: as many holders as needed give theirs, here or from other machines. No policy is asked: who holds the shares decides. */
export function Rekey({ recovery }: { recovery: boolean }): JSX.Element {
  const base = recovery ? "sys/rekey-recovery-key" : "sys/rekey";
  const word = recovery ? "recovery key" : "unseal key";
  const { data, error, reload } = useLoad(
    async (signal) => {
      const options = { namespace: "", signal };
      const attempt = (await read<Attempt>(`${base}/init`, options)).data;
      const verification = await read<Verification>(`${base}/verify`, options).then(({ data }) => data, () => null);
      return { attempt, verification };
    },
    [base],
    EVERY_MS,
  );
  const verifies = data?.verification?.started;
  return (
    <Card title={recovery ? "Recovery keys" : "Unseal keys"}>
      <div class="stack">
        <p>
          {seal.value && `${seal.value.t} of ${seal.value.n} ${word}${seal.value.n === 1 ? "" : "s"} ${seal.value.t === 1 ? "is" : "are"} needed now. `}
          Change them when a holder leaves, or when somebody may have seen one.
        </p>
        {error && !data ? <Note tone="warn">{error instanceof Error ? sentence(error.message) : String(error)}</Note> : null}
        {data && !data.attempt.started && !verifies && <Begin base={base} onDone={reload} />}
        {data?.attempt.started && !verifies && <Give key={data.attempt.nonce} base={base} word={word} attempt={data.attempt} reload={reload} />}
        {data?.verification && verifies && <Verify key={data.verification.nonce} base={base} verification={data.verification} reload={reload} />}
        <Command cli={["operator", "rekey", ...(recovery ? ["-target=recovery"] : []), ...(data?.attempt.started ? [`-nonce=${data.attempt.nonce}`] : ["-init", "-key-shares=5", "-key-threshold=3"])]} request={data?.attempt.started ? { method: "POST", path: `${base}/update`, body: { nonce: data.attempt.nonce, key: "…" } } : { method: "POST", path: `${base}/init`, body: { secret_shares: 5, secret_threshold: 3 } }} />
      </div>
      {made.value && <NewShares word={word} keys={made.value.keys} verify={made.value.verify} />}
    </Card>
  );
}

function Begin({ base, onDone }: { base: string; onDone: () => void }): JSX.Element {
  const [shares, setShares] = useState(String(seal.value?.n ?? 5));
  const [threshold, setThreshold] = useState(String(seal.value?.t ?? 3));
  const [verify, setVerify] = useState(true);
  const [wrong, setWrong] = useState<string | null>(null);
  const begin = async (event: Event) => {
    event.preventDefault();
    setWrong(null);
    try {
      await write(`${base}/init`, { secret_shares: Number(shares), secret_threshold: Number(threshold), require_verification: verify }, { namespace: "" });
      onDone();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  const tooMany = Number(threshold) > Number(shares);
  return (
    <form class="stack" onSubmit={begin} aria-label="New shares">
      <div class="halves">
        <Field label="New shares" type="number" min={1} max={255} value={shares} onInput={setShares} />
        <Field label="How many are needed" type="number" min={1} max={255} value={threshold} onInput={setThreshold} wrong={tooMany && "No more can be needed than there are"} />
      </div>
      <Check label="They hold only once enough of them were given back" hint="(so that none is mistyped or lost)" checked={verify} onInput={setVerify} />
      {wrong && <Note tone="bad">{wrong}</Note>}
      <div class="row end">
        <Button type="submit" disabled={tooMany || !(Number(shares) > 0) || !(Number(threshold) > 0)}>
          Begin
        </Button>
      </div>
    </form>
  );
}

function Give({ base, word, attempt, reload }: { base: string; word: string; attempt: Attempt; reload: () => void }): JSX.Element {
  const give = async (key: string) => {
    const { data } = await write<Made>(`${base}/update`, { nonce: attempt.nonce, key }, { namespace: "" });
    if (data.complete && data.keys_base64) made.value = { keys: data.keys_base64, verify: data.verification_required ?? false };
    reload();
    await look();
  };
  const cancel = async () => {
    await remove(`${base}/init`, { namespace: "", body: { nonce: attempt.nonce } });
    toast("The present keys stay");
    reload();
  };
  return <Shares label={`Present ${word}`} given={attempt.progress} needed={attempt.required} give={give} cancel={cancel} lead={`${attempt.n} new shares, of which ${attempt.t} will be needed, as soon as ${attempt.required} holders of the present ones have given theirs.`} />;
}

function Verify({ base, verification, reload }: { base: string; verification: Verification; reload: () => void }): JSX.Element {
  const give = async (key: string) => {
    const { data } = await write<{ complete?: boolean }>(`${base}/verify`, { nonce: verification.nonce, key }, { namespace: "" });
    if (data.complete) toast("The new keys hold from now on");
    reload();
    await look();
  };
  const cancel = async () => {
    await remove(`${base}/init`, { namespace: "", body: { nonce: verification.nonce } });
    toast("The present keys stay, and the new ones are worth nothing");
    reload();
  };
  return <Shares label="New key" given={verification.progress} needed={verification.t} give={give} cancel={cancel} lead="The new keys are made but do not hold yet: give enough of them back." />;
}

interface SharesProps {
  label: string;
  lead: string;
  given: number;
  needed: number;
  give: (key: string) => Promise<void>;
  cancel: () => Promise<void>;
}

/** Takes shares one by one. */
export function Shares({ label, lead, given, needed, give, cancel }: SharesProps): JSX.Element {
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !key.trim()) return;
    setBusy(true);
    setWrong(null);
    try {
      await give(key.trim());
      setKey("");
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack" onSubmit={submit} aria-label={label}>
      <Note>{lead}</Note>
      <Progress given={given} needed={needed} />
      <Field label={label} type="password" mono value={key} onInput={setKey} />
      {wrong && <Note tone="bad">{wrong}</Note>}
      <div class="row end">
        <Button onClick={cancel}>Give the attempt up</Button>
        <Button type="submit" kind="primary" busy={busy} disabled={!key.trim()}>
          Give this share
        </Button>
      </div>
    </form>
  );
}

function NewShares({ word, keys, verify }: { word: string; keys: string[]; verify: boolean }): JSX.Element {
  const [kept, setKept] = useState(false);
  const guard = useUnsaved(!kept);
  return (
    <Dialog title={`The new ${word}s`} onClose={() => (made.value = null)} stays large>
      <div class="stack">
        <Note tone="warn">{verify ? "They are shown this once. They hold as soon as enough of them were given back." : "They are shown this once, and the old ones open nothing any more."}</Note>
        <Table
          label="New keys"
          rows={keys.map((value, index) => ({ name: `${sentence(word)} ${index + 1}`, value }))}
          rowKey={({ name }) => name}
          columns={[
            { head: "What", cell: ({ name }) => name },
            { head: "Value", cell: ({ name, value }) => <Secret value={value} label={name} /> },
          ]}
        />
        <Check label="I have kept them, each share for its holder." checked={kept} onInput={setKept} />
        <div class="actions">
          <Button icon="download" onClick={() => download(`coffer-new-keys.json`, `${JSON.stringify({ keys_base64: keys }, null, 2)}\n`, "application/json")}>
            Download
          </Button>
          <Button kind="primary" disabled={!kept} onClick={() => (made.value = null)}>
            Done
          </Button>
        </div>
        {guard}
      </div>
    </Dialog>
  );
}


