import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Field, operands, Select } from "../../ui";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import { Verdict } from "../keys/Verdict";
import type { Part } from "./bench";
import { HASHES, mountFlag } from "./transit";

/** Makes the code that authenticates an input, and verifies one. */
export function Hmac({ mount, name, at, bench, onBench, may }: Part): JSX.Element {
  const [hash, setHash] = useState(HASHES[0]!);
  const paths = { make: `${mount}/hmac/${name}`, verify: `${mount}/verify/${name}` };
  const { base64, wrong } = base64Of(bench.input);
  const flags = [...mountFlag(mount), ...(hash === HASHES[0] ? [] : [`-algorithm=${hash}`])];
  const chosen = hash === HASHES[0] ? {} : { algorithm: hash };
  const input = <BytesField label="Input" long value={bench.input} onInput={(value) => onBench({ input: value })} />;
  const which = <Select label="Hash" value={hash} onInput={setHash} options={HASHES} />;
  return (
    <div class="pair">
      <Try
        title="Make an HMAC"
        verb="Make the HMAC"
        inputs={[bench.input, hash, at?.latest]}
        because={missing(may, paths.make, "update") || wrong}
        run={async () => (await write<{ hmac: string }>(paths.make, { input: base64, ...chosen })).data.hmac}
        outcome={(hmac) => (
          <Outcome label="HMAC" text={hmac}>
            <Button size="small" onClick={() => onBench({ hmac })}>
              Verify this
            </Button>
          </Outcome>
        )}
        command={{ cli: ["transit", "hmac", ...flags, ...operands(name, "@input.txt")], request: { method: "POST", path: paths.make, body: { input: "…", ...chosen } } }}
      >
        {input}
        {which}
      </Try>
      <Try
        title="Verify an HMAC"
        verb="Verify the HMAC"
        inputs={[bench.input, bench.hmac, hash]}
        because={missing(may, paths.verify, "update") || (!bench.hmac.trim() && "An HMAC is needed") || wrong}
        run={async () => (await write<{ valid: boolean }>(paths.verify, { input: base64, hmac: bench.hmac.trim(), ...chosen })).data.valid}
        outcome={(valid) => <Verdict valid={valid} what="HMAC" />}
        command={{ cli: ["transit", "verify-hmac", ...flags, "-hmac=@input.hmac", ...operands(name, "@input.txt")], request: { method: "POST", path: paths.verify, body: { input: "…", hmac: "…", ...chosen } } }}
      >
        {input}
        <Field label="HMAC" type="textarea" rows={2} mono value={bench.hmac} onInput={(hmac) => onBench({ hmac })} hint="As it was given: vault:v1:…" />
        {which}
      </Try>
    </div>
  );
}
