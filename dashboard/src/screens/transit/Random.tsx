import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { Field, Select } from "../../ui";
import { RandomOutcome } from "../keys/RandomOutcome";
import { Try } from "../keys/Try";
import { mountFlag } from "./transit";

const MOST = 4_096;

/** Random bytes. */
export function Random({ mount }: { mount: string }): JSX.Element {
  const [count, setCount] = useState("32");
  const [format, setFormat] = useState("base64");
  const bytes = Number(count);
  const wrong = /^\d+$/.test(count) && bytes > 0 && bytes <= MOST ? null : `A number from 1 to ${MOST.toLocaleString()}.`;
  const path = `${mount}/random`;
  return (
    <Try
      title="Random bytes"
      verb="Make random bytes"
      inputs={[count, format]}
      because={wrong}
      run={async () => (await write<{ random_bytes: string }>(path, { bytes, format })).data.random_bytes}
      outcome={(text) => <RandomOutcome text={text} />}
      command={{ cli: ["transit", "random", ...mountFlag(mount), ...(format === "hex" ? ["-encoding=hex"] : []), count || "32"], request: { method: "POST", path, body: { bytes, format } } }}
    >
      <div class="grid">
        <Field label="How many bytes" type="number" min={1} max={MOST} value={count} onInput={setCount} wrong={wrong} />
        <Select label="Written as" value={format} onInput={setFormat} options={["base64", "hex"]} />
      </div>
    </Try>
  );
}
