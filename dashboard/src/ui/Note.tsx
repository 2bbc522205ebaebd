import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./Icon";

/** Something to know, beside what it is about. */
export function Note({ tone = "info", title, children }: { tone?: "info" | "good" | "warn" | "bad"; title?: string; children?: ComponentChildren }): JSX.Element {
  const icon = tone === "good" ? "check" : tone;
  return (
    <div class={`note ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <Icon name={icon} />
      <div class="grow">
        {title && <div class="title">{title}</div>}
        {children}
      </div>
    </div>
  );
}
