import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { Select } from "../../ui";
import { base64Of, NOTHING } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import { Outcome } from "../keys/Outcome";
import { Try } from "../keys/Try";
import { HASHES, mountFlag } from "./transit";

/** The hash of something. */
export function Hash({ mount }: { mount: string }): JSX.Element {
  const [input, setInput] = useState(NOTHING);
  const [algorithm, setAlgorithm] = useState(HASHES[0]!);
  const [format, setFormat] = useState("hex");
  const { base64, wrong } = base64Of(input);
  const path = `${mount}/hash`;
  return (
    <Try
      title="Hash"
      verb="Hash"
      inputs={[input, algorithm, format]}
      because={wrong}
      run={async () => (await write<{ sum: string }>(path, { input: base64, algorithm, format })).data.sum}
      outcome={(sum) => <Outcome label="Digest" text={sum} />}
      command={{ cli: ["transit", "hash", ...mountFlag(mount), `-algorithm=${algorithm}`, ...(format === "base64" ? ["-encoding=base64"] : []), "@input.txt"], request: { method: "POST", path, body: { input: "…", algorithm, format } } }}
    >
      <BytesField label="Input" long value={input} onInput={setInput} />
      <div class="grid">
        <Select label="Algorithm" value={algorithm} onInput={setAlgorithm} options={HASHES} />
        <Select label="Written as" value={format} onInput={setFormat} options={["hex", "base64"]} />
      </div>
    </Try>
  );
}
