import type { ComponentChildren, JSX } from "preact";
import { seal } from "../session/server";
import { Brand } from "./Brand";
import { ThemeMenu } from "./ThemeMenu";

/** The frame of screens before anybody is signed in. */
export function Door({ children, wide }: { children: ComponentChildren; wide?: boolean }): JSX.Element {
  const state = seal.value;
  return (
    <div class="door">
      <header class="head">
        <Brand />
        <ThemeMenu />
      </header>
      <main class="middle">
        <div class={`panel ${wide ? "wide" : ""}`}>{children}</div>
      </main>
      <footer class="foot">{state && [state.cluster_name, `version ${state.version}`].filter(Boolean).join(" · ")}</footer>
    </div>
  );
}
