import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./Button";
import { Copy } from "./Copy";

/** A secret value: hidden until it is asked for, copied without being shown. How long it is can not be seen. */
export function Secret({ value, label, shown: first = false }: { value: string; label: string; shown?: boolean }): JSX.Element {
  const [shown, setShown] = useState(first);
  return (
    <span class="secret">
      {shown ? (
        <code>{value}</code>
      ) : (
        <span class="dots" role="img" aria-label={`${label}, hidden`}>
          ••••••••
        </span>
      )}
      <Button kind="quiet" size="small" icon={shown ? "hidden" : "eye"} label={`${shown ? "Hide" : "Show"} ${label}`} onClick={() => setShown(!shown)} />
      <Copy text={value} label={`Copy ${label}`} />
    </span>
  );
}
