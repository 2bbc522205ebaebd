import { signal } from "@preact/signals";
import { onForget } from "../session/forget";

/** Something unsaved on the screen, which wants to be asked before it is left. */
export interface Guard {
  /** Asks the person; whoever agrees goes on. */
  ask: (goOn: () => unknown) => void;
  /** Asks no more: it was agreed to lose it, or there is nobody any more to ask. */
  letGo: () => void;
}

const guards = signal<Guard[]>([]);
onForget(letGo);

/** Puts something under guard until the returned function is called. */
export function watch(guard: Guard): () => void {
  guards.value = [...guards.peek(), guard];
  return () => (guards.value = guards.peek().filter((one) => one !== guard));
}

/** Whether anything would be lost by leaving. */
export const hasUnsaved = (): boolean => guards.value.length > 0;

/** Goes on at once, or after the person has agreed to lose what is not saved. */
export function leaving(goOn: () => unknown): void {
  const guard = guards.peek().at(-1);
  if (guard) guard.ask(goOn);
  else goOn();
}

/** Gives up everything unsaved. */
export function letGo(): void {
  for (const guard of guards.peek()) guard.letGo();
}
