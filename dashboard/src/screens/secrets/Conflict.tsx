import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Note, Secret, Select } from "../../ui";
import { shown, type Fields } from "../../api/json";
import { merge } from "./merge";

/** Somebody else wrote meanwhile: what is put together by itself, and what a person has to decide. */
export function Conflict({ base, mine, theirs, version, onSettle }: { base: Fields; mine: Fields; theirs: Fields; version: number; onSettle: (merged: Fields) => void }): JSX.Element {
  const { merged, clashes, taken } = merge(base, mine, theirs);
  const [choice, setChoice] = useState<Record<string, "mine" | "theirs">>({});
  const settle = () => {
    const result = new Map(Object.entries(merged));
    for (const { key, mine: my, theirs: their } of clashes) {
      const value = choice[key] === "theirs" ? their : my;
      if (value === undefined) result.delete(key);
      else result.set(key, value);
    }
    onSettle(Object.fromEntries(result));
  };
  const value = (of: unknown, label: string) => (of === undefined ? <span class="muted">taken away</span> : <Secret value={shown(of)} label={label} />);
  return (
    <Note tone="warn" title="Somebody else wrote meanwhile">
      <div class="stack tight" role="region" aria-label="Conflict">
        <p>
          Nothing was written, so that nothing is lost{version ? `: the latest version is ${version} now` : ""}. {taken.length > 0 && `Their changes of ${taken.join(", ")} are taken over. `}
          {clashes.length > 0 ? "Both of you changed what follows; choose for each." : "Your changes and theirs go together."}
        </p>
        {clashes.map(({ key, mine: my, theirs: their }) => (
          <div class="kv-clash" key={key}>
            <Select
              label={key}
              value={choice[key] ?? "mine"}
              onInput={(to) => setChoice({ ...choice, [key]: to as "mine" })}
              options={[
                { value: "mine", label: "Keep yours" },
                { value: "theirs", label: "Take theirs" },
              ]}
            />
            <div>Yours: {value(my, `your ${key}`)}</div>
            <div>Theirs: {value(their, `their ${key}`)}</div>
          </div>
        ))}
        <div>
          <Button onClick={settle}>Put both together</Button>
        </div>
      </div>
    </Note>
  );
}
