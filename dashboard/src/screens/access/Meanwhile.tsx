import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Note } from "../../ui";

/** Somebody else wrote meanwhile: what there is now, and the ways on. It comes into view, wherever the person was. */
export function Meanwhile({ children }: { children: ComponentChildren }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div role="region" aria-label="Conflict" tabIndex={-1} ref={place}>
      <Note tone="warn" title="Somebody else wrote meanwhile">
        <div class="stack tight">{children}</div>
      </Note>
    </div>
  );
}
