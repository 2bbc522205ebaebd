import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SCREENS, type Screen } from "../screens";
import { loadAll } from "../screens/lazy";
import { namespace, session } from "../session";
import { seal } from "../session/server";
import { Empty, LinkButton } from "../ui";
import { Brand } from "./Brand";
import { Nav } from "./Nav";
import { match, place } from "./router";
import { Strip } from "./Strip";
import { TopBar } from "./TopBar";

/** The frame around every screen of somebody who is signed in. */
export function Shell(): JSX.Element {
  const { path, query } = place.value;
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const found = find(path);
  useEffect(() => void loadAll(), []);
  useEffect(() => {
    setOpen(false);
    document.title = `${found?.screen.title ?? "Nothing here"} · Coffer`;
  }, [path]);
  useEffect(() => {
    // An effect runs after drawing: what was hidden takes the focus only then.
    if (open) document.querySelector<HTMLElement>("#side .nav a")?.focus();
  }, [open]);
  useEffect(() => {
    // Whoever came by keyboard goes on reading at the new screen, not behind the link that led there; or at the field that it begins with.
    if (!document.activeElement?.matches("main [autofocus]")) main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [path]);
  return (
    <div class={`shell ${open ? "open" : ""}`} onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
      <a class="button skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <aside class="side" id="side">
        <Brand />
        <Nav area={found?.screen.area} path={path} />
        <div class="foot">{seal.value && `Version ${seal.value.version}`}</div>
      </aside>
      <button type="button" class="veil" aria-label="Close the navigation" onClick={() => setOpen(false)} />
      <TopBar drawer={{ open, toggle: () => setOpen(!open) }} />
      <main class="main" id="main" ref={main} tabIndex={-1}>
        <div class="inner" key={`${namespace.value}|${session.value?.accessor}`}>
          {found ? <found.screen.element key={found.screen.path} params={found.params} query={query} /> : <NothingHere />}
        </div>
      </main>
      <Strip />
    </div>
  );
}

function NothingHere(): JSX.Element {
  return (
    <Empty icon="search" title="There is no such screen" text="The address may be mistyped, or from another version.">
      <LinkButton href="#/">To the overview</LinkButton>
    </Empty>
  );
}

function find(path: string): { screen: Screen; params: Record<string, string> } | null {
  for (const screen of SCREENS) {
    const params = match(screen.path, path);
    if (params) return { screen, params };
  }
  return null;
}
