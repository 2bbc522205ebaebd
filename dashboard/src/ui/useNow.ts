import { useEffect, useState } from "preact/hooks";

/** The time, again and again; stands still while the page is hidden. All that ask equally often are told at the same moment. */
export function useNow(everyMs = 1_000): number {
  const [, draw] = useState(0);
  useEffect(() => {
    let timer = 0;
    const plan = () => {
      timer = window.setTimeout(tick, everyMs - (Date.now() % everyMs));
    };
    const tick = () => {
      if (!document.hidden) draw((last) => last + 1);
      plan();
    };
    plan();
    return () => clearTimeout(timer);
  }, [everyMs]);
  // What is drawn between two ticks, because something else has changed, is of its own moment.
  return Date.now();
}
