import type { JSX } from "preact";
import { go } from "../../shell/router";
import { Confirm, toast } from "../../ui";
import { change, removeLatest, type Mount } from "./kv";
import { placeOf } from "./places";

/** Asks before a secret is deleted: the version that is shown if that is an older one, else the latest, or all there is without versions. */
export function Removal({ at, name, older, onDone, onClose }: { at: Mount; name: string; older?: number; onDone: () => void; onClose: () => void }): JSX.Element {
  const versioned = at.kind === "kv2";
  const text = older ? `Version ${older}` : "The latest version";
  return (
    <Confirm
      title={older ? `Delete version ${older} of ${name}?` : `Delete ${name}?`}
      verb="Delete"
      danger
      onClose={onClose}
      onConfirm={async () => {
        await (older ? change(at, name, "delete", [older]) : removeLatest(at, name));
        toast(older ? `Deleted: version ${older}` : `Deleted: ${name}`);
        if (versioned) onDone();
        else go(placeOf(at.path, name.slice(0, name.lastIndexOf("/") + 1)));
      }}
    >
      {versioned ? `${text} can be read no more, until somebody brings it back under Versions.` : "It is gone for good: this place keeps no versions."}
    </Confirm>
  );
}
