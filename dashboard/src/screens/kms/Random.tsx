import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { Field } from "../../ui";
import { RandomOutcome } from "../keys/RandomOutcome";
import { Try } from "../keys/Try";
import { mountFlag } from "./kms";

const MOST = 1_024;

/** Random bytes. */
export function Random({ mount }: { mount: string }): JSX.Element {
  const [count, setCount] = useState("32");
  const bytes = Number(count);
  const wrong = /^\d+$/.test(count) && bytes > 0 && bytes <= MOST ? null : `A number from 1 to ${MOST.toLocaleString()}.`;
  const path = `${mount}/random`;
  return (
    <Try
      title="Random bytes"
      verb="Make random bytes"
      inputs={count}
      because={wrong}
      run={async () => (await write<{ plaintext: string }>(path, { number_of_bytes: bytes })).data.plaintext}
      outcome={(text) => <RandomOutcome text={text} />}
      command={{ cli: ["kms", "random", ...mountFlag(mount), count || "32"], request: { method: "POST", path, body: { number_of_bytes: bytes } } }}
    >
      <div class="grid">
        <Field label="How many bytes" type="number" min={1} max={MOST} value={count} onInput={setCount} wrong={wrong} hint="They come as base64." />
      </div>
    </Try>
  );
}
