import type { JSX } from "preact";
import { Icon, Menu } from "../ui";
import { choose, theme, type Theme } from "./theme";

const NAMES: [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** The choice of light and dark. */
export function ThemeMenu(): JSX.Element {
  return (
    <Menu label="Theme" kind="quiet" icon={theme.value === "dark" ? "moon" : "sun"}>
      {(close) =>
        NAMES.map(([name, words]) => (
          <button key={name} type="button" class="item" aria-pressed={theme.value === name} onClick={() => (choose(name), close())}>
            <span class="grow">{words}</span>
            {theme.value === name && <Icon name="check" />}
          </button>
        ))
      }
    </Menu>
  );
}
