import { ApiError } from "../../api/client";
import { names, type Mount } from "./kv";

const FOLDERS_MAX = 300;
const FOUND_MAX = 200;
const AT_ONCE = 4;

/** What a search has found so far. */
export interface Search {
  found: string[];
  folders: number;
  /** Folders that this token may not list. */
  denied: number;
  /** Whether there was more than a search looks at. */
  cut: boolean;
  done: boolean;
}

/** Looks for a name in a folder and all below it, as far as the token may list; tells what it has now and then. */
export async function search(at: Mount, folder: string, wanted: string, signal: AbortSignal, tell: (state: Search) => void): Promise<void> {
  const needle = wanted.toLowerCase();
  const waiting = [folder];
  const state: Search = { found: [], folders: 0, denied: 0, cut: false, done: false };
  const look = async (one: string) => {
    try {
      for (const name of await names(at, one, signal)) {
        const whole = one + name;
        if (whole.slice(folder.length).toLowerCase().includes(needle)) state.found.push(whole);
        if (name.endsWith("/")) waiting.push(whole);
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.isDenied)) throw error;
      state.denied += 1;
    }
  };
  while (waiting.length > 0 && !signal.aborted) {
    if (state.folders >= FOLDERS_MAX || state.found.length >= FOUND_MAX) {
      state.cut = true;
      break;
    }
    const next = waiting.splice(0, AT_ONCE);
    state.folders += next.length;
    await Promise.all(next.map(look));
    tell({ ...state, found: state.found.slice(0, FOUND_MAX) });
  }
  state.cut ||= state.found.length > FOUND_MAX;
  if (!signal.aborted) tell({ ...state, found: state.found.slice(0, FOUND_MAX), done: true });
}
