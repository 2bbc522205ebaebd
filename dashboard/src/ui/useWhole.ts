import { useEffect, useState } from "preact/hooks";
import { awaited } from "./awaited";

/** A slow answer is not waited for: its place is shown as one that loads. */
const PATIENCE_MS = 300;
/** What came may be followed by parts that ask for more. */
const MORE_MS = 30;

/** Whether a screen that was just opened has what it asked for first, or has waited long enough. */
export function useWhole(): boolean {
  const [whole, setWhole] = useState(false);
  useEffect(() => {
    const end = () => {
      clearTimeout(last);
      clearTimeout(next);
      stop();
      setWhole(true);
    };
    const last = setTimeout(end, PATIENCE_MS);
    let next: ReturnType<typeof setTimeout>;
    // It is told the number at once, and later ones; each time the parts of the screen have their turn to ask.
    const stop = awaited.subscribe((many) => {
      clearTimeout(next);
      if (!many) next = setTimeout(end, MORE_MS);
    });
    return () => {
      clearTimeout(last);
      clearTimeout(next);
      stop();
    };
  }, []);
  return whole;
}
