import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Check, operands, Select } from "../../ui";
import { Outcome } from "../keys/Outcome";
import { Plaintext } from "../keys/Plaintext";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Binding, bindingOf, bindingWords, bindingWrong } from "./Binding";
import { maySend } from "./tryouts";
import { mountFlag } from "./transit";

/** Makes a fresh key for data outside: in plain, and encrypted to be kept beside the data. */
export function DataKey(part: Part): JSX.Element {
  const { mount, name, may, onBench } = part;
  const [bits, setBits] = useState("256");
  const [wrapped, setWrapped] = useState(!maySend(may, `${mount}/datakey/plaintext/${name}`));
  const path = `${mount}/datakey/${wrapped ? "wrapped" : "plaintext"}/${name}`;
  const binding = bindingWords(part);
  return (
    <Try
      title="Data key"
      verb="Make a data key"
      inputs={[bits, wrapped, part.bench.context, part.bench.associated]}
      because={missing(may, path, "update") || bindingWrong(part)}
      run={async () => (await write<{ ciphertext: string; plaintext?: string }>(path, { bits: Number(bits), ...bindingOf(part) })).data}
      outcome={({ ciphertext, plaintext }) => (
        <>
          {plaintext && <Plaintext base64={plaintext} label="Data key" raw />}
          <Outcome label="Encrypted data key" text={ciphertext}>
            <Button size="small" onClick={() => onBench({ ciphertext })}>
              Keep for Decrypt
            </Button>
          </Outcome>
        </>
      )}
      command={{
        cli: ["transit", "datakey", ...mountFlag(mount), ...(bits === "256" ? [] : [`-bits=${bits}`]), ...binding.flags, ...(wrapped ? ["-wrapped"] : ["-output=data.key"]), ...operands(name)],
        request: { method: "POST", path, body: { bits: Number(bits), ...binding.body } },
      }}
    >
      <p class="muted small">Encrypt your data with it, throw it away, and keep its encrypted form beside the data.</p>
      <Select label="Length" value={bits} onInput={setBits} options={["128", "256", "512"].map((value) => ({ value, label: `${value} bits` }))} />
      <Binding {...part} />
      <Check label="Only the encrypted key" hint="it is decrypted when it is needed" checked={wrapped} onInput={setWrapped} />
    </Try>
  );
}
