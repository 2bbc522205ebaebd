import type { JSX } from "preact";
import { write } from "../../api/client";
import { missing } from "../../session/may";
import { Button, Field } from "../../ui";
import { useState } from "preact/hooks";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import { Verdict } from "../keys/Verdict";
import type { Part } from "./bench";
import { keyWord, mountFlag } from "./kms";
import { verdict } from "./Sign";

/** Makes the code that authenticates a message, and verifies one. */
export function Mac({ mount, name, at, bench, onBench, may }: Part): JSX.Element {
  const [typed, setTyped] = useState("HMAC_SHA_256");
  const algorithm = at?.mac_algorithms?.[0] ?? typed;
  const paths = { make: `${mount}/mac/${name}`, verify: `${mount}/verify-mac/${name}` };
  const { base64, wrong } = base64Of(bench.message);
  const flags = [...mountFlag(mount), `-key=${keyWord(name)}`, `-algorithm=${algorithm}`];
  const because = wrong || (!base64 && "A message is needed");
  const message = <BytesField label="Message" long value={bench.message} onInput={(value) => onBench({ message: value })} hint="Up to 4,096 bytes." />;
  const which = !at && <Field label="Algorithm" mono value={typed} onInput={setTyped} />;
  return (
    <div class="pair">
      <Try
        title="Make a MAC"
        verb="Make the MAC"
        inputs={[bench.message, algorithm]}
        because={missing(may, paths.make, "update") || because}
        run={async () => (await write<{ mac: string }>(paths.make, { message: base64, mac_algorithm: algorithm })).data.mac}
        outcome={(mac) => (
          <Outcome label="MAC" text={mac}>
            <Button size="small" onClick={() => onBench({ mac })}>
              Verify this
            </Button>
          </Outcome>
        )}
        command={{ cli: ["kms", "mac", ...flags, "message.txt"], request: { method: "POST", path: paths.make, body: { message: "…", mac_algorithm: algorithm } } }}
      >
        {message}
        {which}
      </Try>
      <Try
        title="Verify a MAC"
        verb="Verify the MAC"
        inputs={[bench.message, bench.mac, algorithm]}
        because={missing(may, paths.verify, "update") || (!bench.mac.trim() && "A MAC is needed") || because}
        run={() => verdict(write(paths.verify, { message: base64, mac: bench.mac.trim(), mac_algorithm: algorithm }), "KMSInvalidMacException")}
        outcome={(valid) => <Verdict valid={valid} what="MAC" />}
        command={{ cli: ["kms", "mac", ...flags, "-verify=message.mac", "message.txt"], request: { method: "POST", path: paths.verify, body: { message: "…", mac: "…", mac_algorithm: algorithm } } }}
      >
        {message}
        <Field label="MAC" type="textarea" rows={2} mono value={bench.mac} onInput={(mac) => onBench({ mac })} hint="In base64, as it was given." />
        {which}
      </Try>
    </div>
  );
}
