import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Confirm } from "./Confirm";

/**
 * Asks before something unsaved is left behind: by a link, by the browser's buttons, or with the whole page. Render what it
 * gives.
 */
export function useUnsaved(unsaved: boolean): JSX.Element | null {
  const [towards, setTowards] = useState<string | null>(null);
  const leaving = useRef(false);
  useEffect(() => {
    if (!unsaved) return;
    const here = location.href;
    const turn = (event: HashChangeEvent) => {
      if (leaving.current || event.newURL === here) return;
      // Before the router hears of it: the screen stays, and so does the address.
      event.stopImmediatePropagation();
      history.pushState(null, "", here);
      setTowards(new URL(event.newURL).hash);
    };
    const stay = (event: Event) => event.preventDefault();
    addEventListener("hashchange", turn, { capture: true });
    addEventListener("beforeunload", stay);
    return () => {
      removeEventListener("hashchange", turn, { capture: true });
      removeEventListener("beforeunload", stay);
    };
  }, [unsaved]);
  // What was saved meanwhile needs no question any more.
  useEffect(() => {
    if (!unsaved) setTowards(null);
  }, [unsaved]);
  if (towards === null || !unsaved) return null;
  return (
    <Confirm
      title="Leave without saving?"
      verb="Leave"
      danger
      onClose={() => setTowards(null)}
      onConfirm={() => {
        leaving.current = true;
        location.hash = towards;
      }}
    >
      What you changed here is not saved and will be lost.
    </Confirm>
  );
}
