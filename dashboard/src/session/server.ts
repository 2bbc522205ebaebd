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

const OPEN_EVERY_MS = 10_000;
const CLOSED_EVERY_MS = 2_000;
let timer = 0;

/** Asks how the server is, now and from now on. */
export async function look(): Promise<void> {
  clearTimeout(timer);
  try {
    // Without token and namespace: the whole server is asked, by anybody.
    const { raw } = await read("sys/seal-status", { token: null, namespace: "" });
    seal.value = raw as unknown as SealStatus;
    unreachable.value = null;
  } catch (error) {
    unreachable.value = error instanceof Error ? error.message : String(error);
  }
  const open = seal.value && !seal.value.sealed && !unreachable.value;
  clearTimeout(timer);
  timer = window.setTimeout(() => (document.hidden ? undefined : void look()), open ? OPEN_EVERY_MS : CLOSED_EVERY_MS);
}

document.addEventListener("visibilitychange", () => document.hidden || void look());
