import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing, useMay } from "../../session/may";
import { Button, Field } from "../../ui";
import { useSettled } from "../../ui/useSettled";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Context, contextBody, contextFlags, wrongContext } from "./Context";
import { keySegment, keyWord, mountFlag } from "./kms";

/** Encrypts a ciphertext anew: with the newest material of its key, or with another key. Nobody sees the plaintext. */
export function ReEncrypt({ mount, name, at, bench, onBench }: Part): JSX.Element {
  const [typed, setTyped] = useState(keyWord(name));
  const [context, setContext] = useState(bench.context);
  const target = keySegment(typed.trim());
  const path = `${mount}/re-encrypt/${name}/${target}`;
  const settled = useSettled(path);
  const may = useMay([settled]);
  const body = { ...contextBody(bench.context, at, "source_encryption_context"), ...contextBody(context, null, "destination_encryption_context") };
  return (
    <Try
      title="Re-encrypt"
      verb="Re-encrypt"
      inputs={[bench.ciphertext, bench.context, context, target]}
      because={(!bench.ciphertext.trim() && "A ciphertext is needed") || (!target && "The key to encrypt it with is needed") || (settled === path && may ? missing(may, path, "update") : false) || wrongContext(bench.context) || wrongContext(context)}
      run={async () => (await write<{ ciphertext_blob: string }>(path, { ciphertext_blob: bench.ciphertext.trim(), ...body })).data.ciphertext_blob}
      outcome={(ciphertext) => (
        <Outcome label="Ciphertext" text={ciphertext}>
          <Button size="small" onClick={() => onBench({ ciphertext, context })}>
            Go on with this
          </Button>
        </Outcome>
      )}
      command={{
        cli: ["kms", "re-encrypt", ...mountFlag(mount), `-from=${keyWord(name)}`, `-to=${typed.trim() || "KEY"}`, ...contextFlags(bench.context, at, "-from-context"), ...contextFlags(context, null, "-to-context"), "ciphertext.txt"],
        request: { method: "POST", path, body: { ciphertext_blob: "…", ...body } },
      }}
    >
      <p class="muted small">With the newest material of the same key, or with another key. The plaintext is shown to nobody on the way.</p>
      <Field label="Ciphertext" type="textarea" mono value={bench.ciphertext} onInput={(ciphertext) => onBench({ ciphertext })} hint="In base64, as it was given." />
      <Field label="Encrypt it with" mono value={typed} onInput={setTyped} hint="The id of a key, or an alias like alias/app." />
      <div class="pair">
        <Context at={at} label="Context until now" value={bench.context} onInput={(value) => onBench({ context: value })} />
        <Context at={null} label="Context from now on" value={context} onInput={setContext} />
      </div>
    </Try>
  );
}
