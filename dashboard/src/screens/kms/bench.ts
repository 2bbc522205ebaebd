import type { May } from "../../session/may";
import { NOTHING, type Typed } from "../keys/bytes";
import type { MasterKey } from "./kms";

/** What lies on the bench of one key while things are tried out. It is gone with the screen. */
export interface Bench {
  plaintext: Typed;
  /** In base64. */
  ciphertext: string;
  /** `name=value` lines. */
  context: string;
  message: Typed;
  signature: string;
  mac: string;
}

/** An empty bench. */
export const FIRST_BENCH: Bench = { plaintext: NOTHING, ciphertext: "", context: "", message: NOTHING, signature: "", mac: "" };

/** What each part to try out is given. */
export interface Part {
  mount: string;
  /** The key as the path names it: an id, or `alias:NAME`. */
  name: string;
  /** The key; null where the token may not look at it. */
  at: MasterKey | null;
  bench: Bench;
  onBench: (change: Partial<Bench>) => void;
  may: May;
}
