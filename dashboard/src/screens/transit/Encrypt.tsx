import type { JSX } from "preact";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Field, operands } from "../../ui";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Plaintext } from "../keys/Plaintext";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Binding, bindingOf, bindingWords, bindingWrong } from "./Binding";
import { mountFlag, versionOf } from "./transit";

/** Encrypts, and decrypts what was encrypted. */
export function Encrypt(part: Part): JSX.Element {
  return (
    <div class="pair">
      <Encryption {...part} />
      <Decryption {...part} />
    </div>
  );
}

function Encryption(part: Part): JSX.Element {
  const { mount, name, bench, onBench, may } = part;
  const path = `${mount}/encrypt/${name}`;
  const { base64, wrong } = base64Of(bench.plaintext);
  const binding = bindingWords(part);
  return (
    <Try
      title="Encrypt"
      verb="Encrypt"
      inputs={[bench.plaintext, bench.context, bench.associated]}
      because={missing(may, path, "update") || wrong || bindingWrong(part)}
      run={async () => (await write<{ ciphertext: string }>(path, { plaintext: base64, ...bindingOf(part) })).data.ciphertext}
      outcome={(ciphertext) => (
        <Outcome label="Ciphertext" text={ciphertext}>
          <Button size="small" onClick={() => onBench({ ciphertext })}>
            Decrypt this
          </Button>
        </Outcome>
      )}
      command={{ cli: ["transit", "encrypt", ...mountFlag(mount), ...binding.flags, ...operands(name, "@plaintext.txt")], request: { method: "POST", path, body: { plaintext: "…", ...binding.body } } }}
    >
      <BytesField label="Plaintext" long value={bench.plaintext} onInput={(plaintext) => onBench({ plaintext })} />
      <Binding {...part} />
    </Try>
  );
}

function Decryption(part: Part): JSX.Element {
  const { mount, name, bench, may } = part;
  const path = `${mount}/decrypt/${name}`;
  const binding = bindingWords(part);
  return (
    <Try
      title="Decrypt"
      verb="Decrypt"
      inputs={[bench.ciphertext, bench.context, bench.associated]}
      because={missing(may, path, "update") || (!bench.ciphertext.trim() && "A ciphertext is needed") || bindingWrong(part)}
      run={async () => (await write<{ plaintext: string }>(path, { ciphertext: bench.ciphertext.trim(), ...bindingOf(part) })).data.plaintext}
      outcome={(plaintext) => <Plaintext base64={plaintext} label="Plaintext" />}
      command={{ cli: ["transit", "decrypt", ...mountFlag(mount), ...binding.flags, ...operands(name, "@ciphertext.txt")], request: { method: "POST", path, body: { ciphertext: "…", ...binding.body } } }}
    >
      <CiphertextField part={part} />
      <Binding {...part} />
    </Try>
  );
}

/** A ciphertext to type, and the version that made it. */
export function CiphertextField({ part: { bench, onBench } }: { part: Part }): JSX.Element {
  const version = versionOf(bench.ciphertext);
  return <Field label="Ciphertext" type="textarea" mono value={bench.ciphertext} onInput={(ciphertext) => onBench({ ciphertext })} hint={version ? `Made by version ${version}.` : "As it was given: vault:v1:…"} />;
}
