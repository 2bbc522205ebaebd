import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Check, Field, Select } from "../../ui";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import { Verdict } from "../keys/Verdict";
import type { Part } from "./bench";
import { keyWord, mountFlag } from "./kms";

/** Signs, and verifies what was signed. */
export function Sign({ mount, name, at, bench, onBench, may }: Part): JSX.Element {
  const known = at?.signing_algorithms ?? [];
  const [chosen, setAlgorithm] = useState("");
  const [digest, setDigest] = useState(false);
  const algorithm = chosen || known[0] || "";
  const paths = { sign: `${mount}/sign/${name}`, verify: `${mount}/verify/${name}` };
  const { base64, wrong } = base64Of(bench.message);
  const more = { signing_algorithm: algorithm, ...(digest ? { message_type: "DIGEST" } : {}) };
  const flags = [...mountFlag(mount), `-key=${keyWord(name)}`, `-algorithm=${algorithm || "NAME"}`, ...(digest ? ["-digest"] : [])];
  const because = wrong || (!base64 && "A message is needed") || (!algorithm && "An algorithm is needed");
  const shared = (
    <>
      {known.length > 0 ? <Select label="Algorithm" value={algorithm} onInput={setAlgorithm} options={known} /> : <Field label="Algorithm" mono value={chosen} onInput={setAlgorithm} placeholder="ECDSA_SHA_256" />}
      {!/^(ED25519|ML_DSA)/.test(algorithm) && <Check label="The message is a digest already" hint="its bytes, as base64" checked={digest} onInput={setDigest} />}
    </>
  );
  const message = <BytesField label="Message" long value={bench.message} onInput={(value) => onBench({ message: value })} hint="Up to 4,096 bytes, or the digest of more." />;
  return (
    <div class="pair">
      <Try
        title="Sign"
        verb="Sign"
        inputs={[bench.message, algorithm, digest]}
        because={missing(may, paths.sign, "update") || because}
        run={async () => (await write<{ signature: string }>(paths.sign, { message: base64, ...more })).data.signature}
        outcome={(signature) => (
          <Outcome label="Signature" text={signature}>
            <Button size="small" onClick={() => onBench({ signature })}>
              Verify this
            </Button>
          </Outcome>
        )}
        command={{ cli: ["kms", "sign", ...flags, "message.txt"], request: { method: "POST", path: paths.sign, body: { message: "…", ...more } } }}
      >
        {message}
        {shared}
      </Try>
      <Try
        title="Verify"
        verb="Verify"
        inputs={[bench.message, bench.signature, algorithm, digest]}
        because={missing(may, paths.verify, "update") || (!bench.signature.trim() && "A signature is needed") || because}
        run={() => verdict(write(paths.verify, { message: base64, signature: bench.signature.trim(), ...more }), "KMSInvalidSignatureException")}
        outcome={(valid) => <Verdict valid={valid} what="signature" />}
        command={{ cli: ["kms", "verify", ...flags, "-signature=message.sig", "message.txt"], request: { method: "POST", path: paths.verify, body: { message: "…", signature: "…", ...more } } }}
      >
        {message}
        <Field label="Signature" type="textarea" rows={3} mono value={bench.signature} onInput={(signature) => onBench({ signature })} hint="In base64, as it was given." />
        {shared}
      </Try>
    </div>
  );
}

/** Whether something was found genuine: the server answers with an exception of that name where it is not. */
export async function verdict(asked: Promise<unknown>, refusal: string): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.errors.some((text) => text.startsWith(refusal))) return false;
    throw error;
  }
}
