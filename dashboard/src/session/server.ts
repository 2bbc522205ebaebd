import { signal } from "@preact/signals";
import { read } from "../api/client";

/** What `sys/seal-status` says to everybody. */
export interface SealStatus {
  type: string;
  initialized: boolean;
  sealed: boolean;
  t: number;
  n: number;
  progress: number;
  nonce: string;
  version: string;
  cluster_name?: string;
  recovery_seal: boolean;
  storage_type: string;
  migration: boolean;
  [more: string]: unknown;
}

/** The server as it last answered; null before it did. */
export const seal = signal<SealStatus | null>(null);
/** Why it does not answer; null while it does. */
export const unreachable = signal<string | null>(null);
/** How often it has come back: what could not be loaded meanwhile is loaded again. */
export const returns = signal(0);

const OPEN_EVERY_MS = 10_000;
const CLOSED_EVERY_MS = 2_000;
const PATIENCE_MS = 8_000;
let timer = 0;
let begun = 0;
let answered = 0;

/** Asks how the server is, now and from now on. */
export async function look(): Promise<void> {
  clearTimeout(timer);
  const mine = ++begun;
  const found = await ask();
  // What was asked later knows better.
  if (mine < answered) return;
  answered = mine;
  const wasAway = unreachable.value !== null || seal.value?.sealed === true;
  if (typeof found === "string") unreachable.value = found;
  else {
    seal.value = found;
    unreachable.value = null;
    if (wasAway && !found.sealed) returns.value++;
  }
  const open = seal.value && !seal.value.sealed && !unreachable.value;
  clearTimeout(timer);
  timer = window.setTimeout(() => (document.hidden ? undefined : void look()), open ? OPEN_EVERY_MS : CLOSED_EVERY_MS);
}

/** Asks how the server is, because something else failed; once, however many requests fail together. */
export function doubt(): void {
  if (begun === answered) void look();
}

/** The state, or why there is none. */
async function ask(): Promise<SealStatus | string> {
  try {
    // Without token and namespace: the whole server is asked, by anybody.
    const { raw } = await read("sys/seal-status", { token: null, namespace: "", signal: AbortSignal.timeout(PATIENCE_MS) });
    return raw as unknown as SealStatus;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

document.addEventListener("visibilitychange", () => document.hidden || void look());
