import { effect } from "@preact/signals";
import { seal, unreachable } from "../session/server";
import { ApiError } from "./error";

/** How a stream is. */
export type StreamState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** It was cut and is taken up again. */
  | { kind: "waiting"; retryAt: number; why: string }
  /** It can not go on: no right, a wish that can not be understood, a position that is no longer kept. */
  | { kind: "refused"; error: ApiError };

/** Reads one connection of a stream to its end, and says why it ended. `live` is called once it is open. */
export type Reading = (ending: AbortSignal, live: () => void) => Promise<string>;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Keeps a stream open until `ending`. One that is cut is taken up again after a pause that grows; what coming back would not mend ends it. */
export async function keepOpen(reading: Reading, ending: AbortSignal, tell: (state: StreamState) => void): Promise<void> {
  const say = (state: StreamState) => ending.aborted || tell(state);
  let wait = FIRST_WAIT_MS;
  const live = () => {
    wait = FIRST_WAIT_MS;
    say({ kind: "live" });
  };
  while (!ending.aborted) {
    say({ kind: "connecting" });
    let why: string;
    try {
      why = await reading(ending, live);
    } catch (error) {
      if (ending.aborted) return;
      if (error instanceof ApiError && isFinal(error)) return void say({ kind: "refused", error });
      why = error instanceof Error ? error.message : String(error);
    }
    const pause = wait * (0.75 + Math.random() / 2);
    say({ kind: "waiting", retryAt: Date.now() + pause, why });
    await rest(pause, ending);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

const isFinal = ({ status }: ApiError): boolean => status >= 400 && status < 500 && status !== 429;

/** Waits. Whoever sees the server open again meanwhile, or the network, need not wait to the end. */
function rest(ms: number, ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let isOpen: boolean | undefined;
    const end = () => {
      clearTimeout(timer);
      ending.removeEventListener("abort", end);
      removeEventListener("online", end);
      stop();
      resolve();
    };
    const timer = setTimeout(end, ms);
    ending.addEventListener("abort", end);
    addEventListener("online", end);
    const stop = effect(() => {
      const now = seal.value?.sealed === false && unreachable.value === null;
      const came = now && isOpen === false;
      isOpen = now;
      if (came) queueMicrotask(end);
    });
  });
}
