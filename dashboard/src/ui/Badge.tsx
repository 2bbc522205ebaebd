import type { ComponentChildren, JSX } from "preact";

/** A word about a state. The word says it; the colour only helps. */
export function Badge({ tone = "", dot, children }: { tone?: "good" | "warn" | "bad" | "accent" | ""; dot?: boolean; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`badge ${tone}`}>
      {dot && <span class="dot" aria-hidden="true" />}
      {children}
    </span>
  );
}
