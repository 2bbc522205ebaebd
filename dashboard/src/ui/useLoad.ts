import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/error";
import { namespace } from "../session/bearer";
import { returns } from "../session/server";
import { awaiting } from "./awaited";

/** What became of loading. While it is loaded again the last data stays. */
export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  /** Loads again. */
  reload: () => void;
}

/** Loads something for a screen, again when `deps` or the namespace change, and every `everyMs` if that is given. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, deps: unknown[], everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const key = JSON.stringify([namespace.value, ...deps]);
  const shownKey = useRef(key);
  useEffect(() => {
    const ending = new AbortController();
    const there = awaiting();
    let timer = 0;
    if (shownKey.current !== key) {
      shownKey.current = key;
      setState({ loading: true });
    }
    const run = async () => {
      try {
        const data = await latest.current(ending.signal);
        if (!ending.signal.aborted) setState({ data, loading: false });
      } catch (error) {
        if (!ending.signal.aborted) setState((last) => ({ data: last.data, error, loading: false }));
      }
      there();
      if (everyMs && !ending.signal.aborted) timer = window.setTimeout(() => (document.hidden ? wait() : void run()), everyMs);
    };
    const wait = () => {
      timer = window.setTimeout(() => (document.hidden ? wait() : void run()), 1_000);
    };
    void run();
    return () => {
      there();
      ending.abort();
      clearTimeout(timer);
    };
  }, [key, round, everyMs]);
  const wasAway = state.error instanceof ApiError && (state.error.status === 0 || state.error.status === 503);
  useEffect(() => {
    // What failed while the server was away is tried again when it is back.
    if (wasAway) setRound((last) => last + 1);
  }, [returns.value]);
  const reload = useCallback(() => setRound((last) => last + 1), []);
  return { data: state.data, error: state.error, loading: state.loading, reload };
}
