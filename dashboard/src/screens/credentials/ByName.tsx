import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Field } from "../../ui";

/** Who may not list names may know one. */
export function ByName({ label, verb = "Open", placeholder, onOpen }: { label: string; verb?: string; placeholder?: string; onOpen: (name: string) => void }): JSX.Element {
  const [name, setName] = useState("");
  return (
    <form
      class="cred-open"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) onOpen(name.trim());
      }}
    >
      <Field label={label} value={name} onInput={setName} mono placeholder={placeholder} />
      <Button type="submit" disabled={!name.trim()}>
        {verb}
      </Button>
    </form>
  );
}
