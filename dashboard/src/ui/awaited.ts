import { signal } from "@preact/signals";

/** How many first answers are under way. A screen that was just opened shows itself when they are there, so that nothing jumps. */
export const awaited = signal(0);

/** One more is under way, until the returned function is called. */
export function awaiting(): () => void {
  awaited.value++;
  let over = false;
  return () => {
    if (!over) awaited.value--;
    over = true;
  };
}
