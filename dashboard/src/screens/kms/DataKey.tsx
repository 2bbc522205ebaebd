import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Check, Field } from "../../ui";
import { Outcome } from "../keys/Outcome";
import { Plaintext } from "../keys/Plaintext";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Context, contextBody, contextFlags, wrongContext } from "./Context";
import { keyWord, mountFlag } from "./kms";
import { maySend } from "./tryouts";

const MOST = 1_024;

/** Makes a fresh key for data outside: in plain, and encrypted to be kept beside the data. */
export function DataKey({ mount, name, at, bench, onBench, may }: Part): JSX.Element {
  const [count, setCount] = useState("32");
  const [encrypted, setEncrypted] = useState(!maySend(may, `${mount}/data-key/${name}`));
  const path = `${mount}/${encrypted ? "data-key-without-plaintext" : "data-key"}/${name}`;
  const wrong = /^\d+$/.test(count) && Number(count) > 0 && Number(count) <= MOST ? null : `A number from 1 to ${MOST.toLocaleString()}.`;
  const body = { number_of_bytes: Number(count), ...contextBody(bench.context, at) };
  return (
    <Try
      title="Data key"
      verb="Make a data key"
      inputs={[count, encrypted, bench.context]}
      because={missing(may, path, "update") || wrong || wrongContext(bench.context)}
      run={async () => (await write<{ ciphertext_blob: string; plaintext?: string }>(path, body)).data}
      outcome={({ ciphertext_blob, plaintext }) => (
        <>
          {plaintext && <Plaintext base64={plaintext} label="Data key" raw />}
          <Outcome label="Encrypted data key" text={ciphertext_blob}>
            <Button size="small" onClick={() => onBench({ ciphertext: ciphertext_blob })}>
              Keep for Decrypt
            </Button>
          </Outcome>
        </>
      )}
      command={{
        cli: ["kms", "data-key", ...mountFlag(mount), `-key=${keyWord(name)}`, ...(count === "32" ? [] : [`-bytes=${count}`]), ...contextFlags(bench.context, at), ...(encrypted ? ["-without-plaintext"] : ["-output=data.key"])],
        request: { method: "POST", path, body },
      }}
    >
      <p class="muted small">Encrypt your data with it, throw it away, and keep its encrypted form beside the data.</p>
      <div class="grid">
        <Field label="Length in bytes" type="number" min={1} max={MOST} value={count} onInput={setCount} wrong={wrong} />
      </div>
      <Context at={at} value={bench.context} onInput={(context) => onBench({ context })} />
      <Check label="Only the encrypted key" hint="it is decrypted when it is needed" checked={encrypted} onInput={setEncrypted} />
    </Try>
  );
}
