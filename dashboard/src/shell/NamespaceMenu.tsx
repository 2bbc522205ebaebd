import { batch } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list } from "../api/client";
import { namespace, session } from "../session";
import { Icon, Menu } from "../ui";
import { leaving } from "../ui/leaving";
import { useLoad } from "../ui/useLoad";
import { go } from "./router";

const NAMESPACES_SHOWN_MAX = 200;

/** The choice of a namespace: those directly below the one at hand, and the way up. */
export function NamespaceMenu(): JSX.Element {
  const current = namespace.value;
  const home = session.value?.home ?? "";
  return (
    <Menu label={`Namespace: ${current || "root"}`} icon="space" kind="quiet" words={current ? current.replace(/\/$/, "") : "root"}>
      {(close) => <Choice current={current} home={home} choose={(next) => (close(), leaving(() => enter(next)))} />}
    </Menu>
  );
}

function Choice({ current, home, choose }: { current: string; home: string; choose: (next: string) => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const below = useLoad(() => childNames(), []);
  return (
    <>
      {ancestors(current, home).map((name) => (
        <button key={name} type="button" class="item" onClick={() => choose(name)}>
          <Icon name="chevron" class="back" />
          <span>{name === "" ? "root" : name.replace(/\/$/, "")}</span>
        </button>
      ))}
      <button type="button" class="item" aria-current="true" onClick={() => choose(current)}>
        <span class="grow">{current ? current.replace(/\/$/, "") : "root"}</span>
        <Icon name="check" />
      </button>
      {(below.data?.length ?? 0) > 0 && <hr />}
      {below.data?.slice(0, NAMESPACES_SHOWN_MAX).map((name) => (
        <button key={name} type="button" class="item" onClick={() => choose(current + name)}>
          <Icon name="folder" />
          <span>{name.replace(/\/$/, "")}</span>
        </button>
      ))}
      <hr />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const path = typed.replace(/^\/+|\/+$/g, "");
          choose(path ? `${path}/` : home);
        }}
      >
        <input class="input" aria-label="Go to a namespace by its path" placeholder="path/of/namespace" value={typed} onInput={(event) => setTyped((event.target as HTMLInputElement).value)} />
      </form>
    </>
  );
}

/** Namespaces that the token may see; the listing for user interfaces serves tokens that may not list all. */
async function childNames(): Promise<string[]> {
  try {
    return await list("sys/namespaces");
  } catch {
    return [];
  }
}

function ancestors(current: string, home: string): string[] {
  const parts = current.split("/").filter(Boolean);
  const all = parts.map((_, index) => parts.slice(0, index).map((part) => `${part}/`).join(""));
  return all.filter((name) => name.startsWith(home));
}

function enter(next: string): void {
  if (next === namespace.value) return;
  batch(() => {
    namespace.value = next;
    go("/", { atOnce: true });
  });
}
