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
  const now = useRef(unsaved);
  now.current = unsaved;
  useEffect(() => {
    if (!unsaved) return;
    const here = location.href;
    // It comes before `hashchange`, by which the router learns of a new place: what that then finds is the old one.
    const turn = () => {
      if (leaving.current || !now.current || location.href === here) return;
      setTowards(location.hash);
      history.pushState(null, "", here);
    };
    const stay = (event: Event) => event.preventDefault();
    addEventListener("popstate", turn);
    addEventListener("beforeunload", stay);
    return () => {
      removeEventListener("popstate", turn);
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
