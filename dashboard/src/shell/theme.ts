import { effect, signal } from "@preact/signals";

/** What somebody chose; `system` follows the machine. */
export type Theme = "system" | "light" | "dark";

// A preference, not a secret: the only thing that this page ever stores.
const KEY = "coffer-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(dark.matches);
dark.addEventListener("change", (event) => (systemIsDark.value = event.matches));

/** The chosen theme. */
export const theme = signal<Theme>(stored());

effect(() => {
  const isDark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
});

/** Chooses a theme and remembers it. */
export function choose(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing is fine.
  }
}

function stored(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : "system";
  } catch {
    return "system";
  }
}
