import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { onForget } from "../session/forget";
import { Icon, type IconName } from "./Icon";
import { Button } from "./Button";

type Tone = "good" | "bad" | "warn" | "info";
interface Told {
  id: number;
  tone: Tone;
  text: string;
}

const SHOWN_MAX = 4;
const SHOWN_MS: Record<Tone, number> = { good: 4_000, info: 5_000, warn: 8_000, bad: 10_000 };
const ICONS: Record<Tone, IconName> = { good: "check", bad: "bad", warn: "warn", info: "info" };
const told = signal<Told[]>([]);
let next = 1;
onForget(() => (told.value = []));

/** Tells something for a moment. */
export function toast(text: string, tone: Tone = "good"): void {
  const id = next++;
  told.value = [...told.value.slice(1 - SHOWN_MAX), { id, tone, text }];
  setTimeout(() => dismiss(id), SHOWN_MS[tone]);
}

/** Tells of a failure, in the server's words. */
export function failed(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast(sentence(error instanceof Error ? error.message : String(error)), "bad");
}

/** Tells an answer's warnings, if it has any. */
export function warned(warnings: string[]): void {
  for (const text of warnings) toast(text, "warn");
}

/** A fragment as a sentence begins. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Where toasts appear; the shell has it once. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {told.value.map(({ id, tone, text }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={ICONS[tone]} />
          <span class="grow">{text}</span>
          <Button kind="quiet" size="small" icon="close" label="Dismiss" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}

function dismiss(id: number): void {
  told.value = told.value.filter((one) => one.id !== id);
}
