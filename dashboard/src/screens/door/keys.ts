import { signal } from "@preact/signals";
import { onForget } from "../../session/forget";

/** What initialisation gives, once. */
export interface NewKeys {
  keys_base64: string[];
  recovery_keys_base64?: string[];
  root_token: string;
  threshold: number;
}

/** The keys of a server that was just initialised here, until somebody says that they are kept. */
export const keys = signal<NewKeys | null>(null);
onForget(() => (keys.value = null));
