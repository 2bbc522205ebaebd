import { NOTHING, type Typed } from "../keys/bytes";
import type { May } from "../../session/may";
import type { Key } from "./transit";

/** What lies on the bench of one key while things are tried out. It is gone with the screen. */
export interface Bench {
  plaintext: Typed;
  ciphertext: string;
  context: Typed;
  associated: Typed;
  /** What is signed, and what an HMAC is made of. */
  input: Typed;
  signature: string;
  hmac: string;
}

/** An empty bench. */
export const FIRST_BENCH: Bench = { plaintext: NOTHING, ciphertext: "", context: NOTHING, associated: NOTHING, input: NOTHING, signature: "", hmac: "" };

/** What each part to try out is given. */
export interface Part {
  mount: string;
  name: string;
  /** The key; null where the token may not look at it. */
  at: Key | null;
  bench: Bench;
  onBench: (change: Partial<Bench>) => void;
  may: May;
}
