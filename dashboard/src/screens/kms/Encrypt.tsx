import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Field, Select } from "../../ui";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Plaintext } from "../keys/Plaintext";
import { Try } from "../keys/Try";
import type { Part } from "./bench";
import { Context, contextBody, contextFlags, wrongContext } from "./Context";
import { isSymmetric, keyWord, mountFlag } from "./kms";

/** Encrypts, and decrypts what was encrypted. */
export function Encrypt(part: Part): JSX.Element {
  const { mount, name, at, bench, onBench, may } = part;
  const known = at && !isSymmetric(at) ? (at.encryption_algorithms ?? []) : [];
  const [chosen, setAlgorithm] = useState("");
  const algorithm = chosen || known[known.length - 1] || "";
  const paths = { encrypt: `${mount}/encrypt/${name}`, decrypt: `${mount}/decrypt/${name}` };
  const { base64, wrong } = base64Of(bench.plaintext);
  const more = { ...contextBody(bench.context, at), ...(algorithm ? { encryption_algorithm: algorithm } : {}) };
  const flags = [...mountFlag(mount), `-key=${keyWord(name)}`, ...contextFlags(bench.context, at), ...(algorithm ? [`-algorithm=${algorithm}`] : [])];
  const context = wrongContext(bench.context);
  const shared = (
    <>
      {known.length > 0 && <Select label="Algorithm" value={algorithm} onInput={setAlgorithm} options={known} />}
      <Context at={at} value={bench.context} onInput={(value) => onBench({ context: value })} />
    </>
  );
  return (
    <div class="pair">
      <Try
        title="Encrypt"
        verb="Encrypt"
        inputs={[bench.plaintext, bench.context, algorithm]}
        because={missing(may, paths.encrypt, "update") || (!base64 && !wrong && "A plaintext is needed") || wrong || context}
        run={async () => (await write<{ ciphertext_blob: string }>(paths.encrypt, { plaintext: base64, ...more })).data.ciphertext_blob}
        outcome={(ciphertext) => (
          <Outcome label="Ciphertext" text={ciphertext}>
            <Button size="small" onClick={() => onBench({ ciphertext })}>
              Decrypt this
            </Button>
          </Outcome>
        )}
        command={{ cli: ["kms", "encrypt", ...flags, "plaintext.txt"], request: { method: "POST", path: paths.encrypt, body: { plaintext: "…", ...more } } }}
      >
        <BytesField label="Plaintext" long value={bench.plaintext} onInput={(plaintext) => onBench({ plaintext })} hint="Up to 4,096 bytes; data of any size is encrypted with a data key." />
        {shared}
      </Try>
      <Try
        title="Decrypt"
        verb="Decrypt"
        inputs={[bench.ciphertext, bench.context, algorithm]}
        because={missing(may, paths.decrypt, "update") || (!bench.ciphertext.trim() && "A ciphertext is needed") || context}
        run={async () => (await write<{ plaintext: string }>(paths.decrypt, { ciphertext_blob: bench.ciphertext.trim(), ...more })).data.plaintext}
        outcome={(plaintext) => <Plaintext base64={plaintext} label="Plaintext" />}
        command={{ cli: ["kms", "decrypt", ...flags, "ciphertext.txt"], request: { method: "POST", path: paths.decrypt, body: { ciphertext_blob: "…", ...more } } }}
      >
        <Field label="Ciphertext" type="textarea" mono value={bench.ciphertext} onInput={(ciphertext) => onBench({ ciphertext })} hint="In base64, as it was given." />
        {shared}
      </Try>
    </div>
  );
}
