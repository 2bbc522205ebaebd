import { signal } from "@preact/signals";
import { onForget } from "../../session/forget";

/** How far what arrives is behind what happens. */
export interface Lag {
  /** In the middle of the last ones, in milliseconds. */
  ms: number;
  /** By so much the two clocks seem to differ; 0 if they agree. */
  clocksMs: number;
}

const LOOKED_AT_MAX = 50;
const SUMMED_UP_EVERY_MS = 500;
/** Nothing is that late at best, and nothing comes before it happens: then the clocks differ. */
const LATE_AT_BEST_MS = 2_000;
const EARLY_MS = 25;
let last: number[] = [];
let opened = 0;
let timer = 0;

/** The lag of the events that came last; null before any came. */
export const lag = signal<Lag | null>(null);
onForget(forgetLag);

/** The stream was opened: what happened before is told now, and is not late. */
export const streamOpened = (): void => void (opened = Date.now());

/** Takes an event's time and its arrival. */
export function measure(time: string, arrived: number): void {
  const at = Date.parse(time);
  if (Number.isNaN(at) || at < opened) return;
  last.push(arrived - at);
  if (last.length > LOOKED_AT_MAX) last.shift();
  timer ||= window.setTimeout(sumUp, SUMMED_UP_EVERY_MS);
}

function sumUp(): void {
  timer = 0;
  const sorted = [...last].sort((one, other) => one - other);
  const best = sorted[0] ?? 0;
  const clocksMs = best > LATE_AT_BEST_MS || best < -EARLY_MS ? best : 0;
  lag.value = { ms: Math.max(0, Math.round((sorted[sorted.length >> 1] ?? 0) - clocksMs)), clocksMs };
}

/** Begins anew. */
export function forgetLag(): void {
  clearTimeout(timer);
  timer = 0;
  last = [];
  lag.value = null;
}
