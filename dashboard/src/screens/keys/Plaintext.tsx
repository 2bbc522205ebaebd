import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Badge, Button, Copy } from "../../ui";
import { textOf } from "./bytes";

/** Bytes that are secret: hidden until somebody wants to see them, as text where they are some. `raw` ones are never taken for text. */
export function Plaintext({ base64, label, raw }: { base64: string; label: string; raw?: boolean }): JSX.Element {
  const [shown, setShown] = useState(false);
  const text = raw ? null : textOf(base64);
  const what = label.toLowerCase();
  return (
    <div class="stack tight">
      <div class="row apart">
        <span class="row">
          <strong class="small">{label}</strong>
          {text === null && <Badge>{raw ? "base64" : "base64: the bytes are no text"}</Badge>}
        </span>
        <span class="row">
          <Button size="small" icon={shown ? "hidden" : "eye"} label={`${shown ? "Hide" : "Show"} the ${what}`} onClick={() => setShown(!shown)}>
            {shown ? "Hide" : "Show"}
          </Button>
          <Copy text={text ?? base64} label={`Copy the ${what}`} words="Copy" />
        </span>
      </div>
      <div class="code">
        {shown ? (
          <pre tabIndex={0}>{text ?? base64}</pre>
        ) : (
          <pre class="muted" role="img" aria-label={`${label}, hidden`}>
            ••••••••
          </pre>
        )}
      </div>
    </div>
  );
}
