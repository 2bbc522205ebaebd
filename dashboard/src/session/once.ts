import { signal } from "@preact/signals";

/** How many things are shown that nobody can show again: as long as there are any the page stays, whatever becomes of the session or the server. */
export const shownOnce = signal(0);

/** One more is shown, until the returned function is called. */
export function showOnce(): () => void {
  shownOnce.value++;
  return () => void shownOnce.value--;
}
