import type { ComponentChildren, JSX } from "preact";
import { Code } from "../../ui";

/** Something that came back and is no secret, with what it is and buttons for what it is good for. */
export function Outcome({ label, text, children }: { label: string; text: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="stack tight">
      <div class="row apart">
        <strong class="small">{label}</strong>
        {children && <span class="row">{children}</span>}
      </div>
      <Code text={text} label={`Copy the ${label.toLowerCase()}`} />
    </div>
  );
}
