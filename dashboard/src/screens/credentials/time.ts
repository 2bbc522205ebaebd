import { when } from "../../ui";

/** A time; one of today without its date. */
export function time(at: number): string {
  if (!at) return "–";
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? date.toLocaleTimeString() : when(at);
}
