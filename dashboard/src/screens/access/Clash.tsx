import type { JSX } from "preact";
import { Button, Facts } from "../../ui";
import { Meanwhile } from "./Meanwhile";
import type { Part, Written } from "./written";

const WORDS: Record<Part, string> = { name: "Name", policies: "Policies", metadata: "Metadata", disabled: "Disabled", member_entity_ids: "Member entities", member_group_ids: "Member groups" };

/** Somebody else changed the same fields of an entity or group meanwhile. */
export function Clash({ clashes, theirs, onTake }: { clashes: Part[]; theirs: Written; onTake: () => void }): JSX.Element {
  return (
    <Meanwhile>
      <p>Nothing was saved, so that nothing of theirs is lost. There is now:</p>
      <Facts facts={clashes.map((part) => [WORDS[part], <span class="mono break">{shown(theirs[part])}</span>])} />
      <p>Loading it replaces what you typed in {clashes.length > 1 ? "these fields" : "this field"}, and nothing else.</p>
      <div>
        <Button onClick={onTake}>Load what is there now</Button>
      </div>
    </Meanwhile>
  );
}

function shown(value: string | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value.replaceAll("\n", ", ") || "none";
}
