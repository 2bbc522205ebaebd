const memories = new Set<() => void>();

/** Registers what empties a cache or a signal when the person signs out. Whoever keeps an answer outside of a screen calls this. */
export function onForget(forget: () => void): void {
  memories.add(forget);
}

/** Empties everything that was registered. */
export function forgetAll(): void {
  for (const forget of memories) forget();
}
