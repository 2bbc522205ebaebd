import type { JSX } from "preact";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Badge, Button, operands } from "../../ui";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Binding, bindingOf, bindingWords, bindingWrong } from "./Binding";
import { CiphertextField } from "./Encrypt";
import { mountFlag, versionOf } from "./transit";

/** Encrypts a ciphertext anew with the latest version; nobody sees the plaintext. */
export function Rewrap(part: Part): JSX.Element {
  const { mount, name, at, bench, onBench, may } = part;
  const path = `${mount}/rewrap/${name}`;
  const binding = bindingWords(part);
  // The command of its own takes no associated data.
  const cli = binding.body.associated_data
    ? ["write", "-field=ciphertext", path, "ciphertext=@ciphertext.txt", ...Object.keys(binding.body).map((field) => `${field}=…`)]
    : ["transit", "rewrap", ...mountFlag(mount), ...binding.flags, ...operands(name, "@ciphertext.txt")];
  return (
    <Try
      title="Rewrap"
      verb="Rewrap"
      inputs={[bench.ciphertext, bench.context, bench.associated, at?.latest]}
      because={missing(may, path, "update") || (!bench.ciphertext.trim() && "A ciphertext is needed") || bindingWrong(part)}
      run={async () => (await write<{ ciphertext: string }>(path, { ciphertext: bench.ciphertext.trim(), ...bindingOf(part) })).data.ciphertext}
      outcome={(ciphertext) => (
        <Outcome label="Ciphertext" text={ciphertext}>
          <Badge tone="good">version {versionOf(ciphertext)}</Badge>
          <Button size="small" onClick={() => onBench({ ciphertext })}>
            Go on with this
          </Button>
        </Outcome>
      )}
      command={{ cli, request: { method: "POST", path, body: { ciphertext: "…", ...binding.body } } }}
    >
      <p class="muted small">The same plaintext under the latest version of the key{at ? `, which is ${at.latest}` : ""}. It is shown to nobody on the way.</p>
      <CiphertextField part={part} />
      <Binding {...part} />
    </Try>
  );
}
