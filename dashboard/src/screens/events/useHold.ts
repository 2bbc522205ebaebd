import { useEffect } from "preact/hooks";
import type { Tail } from "./tail";

/** What holds a list still while something in it is pressed: what is let go is then what was pressed. */
export function useHold<T>(tail: Tail<T>): { onPointerDown: () => void } {
  useEffect(() => {
    // After the click, which comes behind both.
    const release = () => setTimeout(() => tail.hold(false));
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
    return () => {
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
      tail.hold(false);
    };
  }, [tail]);
  return { onPointerDown: () => tail.hold(true) };
}
