/** Arrows go from row to row of a list: for its `onKeyDown`. */
export function rowKeys(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const row = (event.target as HTMLElement).closest<HTMLElement>(".tail-row");
  if (!step || !row) return;
  event.preventDefault();
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".tail-row")];
  all[all.indexOf(row) + step]?.focus();
}
