import type { JSX } from "preact";
import { seal } from "../session/server";
import { Badge, Button } from "../ui";
import { NamespaceMenu } from "./NamespaceMenu";
import { SessionMenu } from "./SessionMenu";
import { ThemeMenu } from "./ThemeMenu";

/** Where the person is, how the server is, and who they are. */
export function TopBar({ drawer }: { drawer: { open: boolean; toggle: () => void } }): JSX.Element {
  const state = seal.value;
  return (
    <header class="top">
      <span class="drawer-button">
        <Button kind="quiet" icon="menu" label="Navigation" expanded={drawer.open} onClick={drawer.toggle} />
      </span>
      <NamespaceMenu />
      <span class="spacer" />
      <span class="wide-only">
        <Badge tone={state?.sealed ? "bad" : "good"} dot>
          {state?.sealed ? "Sealed" : "Unsealed"}
        </Badge>
      </span>
      <ThemeMenu />
      <SessionMenu />
    </header>
  );
}
