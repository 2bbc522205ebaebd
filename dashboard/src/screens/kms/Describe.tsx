import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Button, Field, toast } from "../../ui";
import type { MasterKey } from "./kms";

/** The note about a key. */
export function Describe({ mount, name, at, may, onChange }: { mount: string; name: string; at: MasterKey; may: May; onChange: () => void }): JSX.Element {
  const [text, setText] = useState(at.description);
  const path = `${mount}/keys/${name}`;
  const denied = missing(may, path, "update");
  const save = async () => {
    await write(path, { description: text.trim() });
    toast("The description is saved");
    onChange();
  };
  return (
    <form class="beside" onSubmit={(event) => event.preventDefault()}>
      <Field label="Description" value={text} onInput={setText} disabled={Boolean(denied)} />
      <Button type="submit" because={denied} disabled={text === at.description} onClick={save}>
        Save
      </Button>
    </form>
  );
}
