import type { JSX } from "preact";
import { Copy } from "./Copy";

/** Text as it is, with a button that copies it. */
export function Code({ text, label = "Copy" }: { text: string; label?: string }): JSX.Element {
  return (
    <div class="code">
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} label={label} />
    </div>
  );
}
