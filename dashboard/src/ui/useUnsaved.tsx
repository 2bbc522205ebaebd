import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Confirm } from "./Confirm";
import { watch } from "./leaving";

/**
 * Asks before something unsaved is left behind: by a link, by the browser's buttons, for another namespace, or with the whole page.
 * Render what it gives.
 */
export function useUnsaved(unsaved: boolean): JSX.Element | null {
  // In an object: a function in a state would be called.
  const [wish, setWish] = useState<{ goOn: () => unknown } | null>(null);
  const leaving = useRef(false);
  const now = useRef(unsaved);
  now.current = unsaved;
  // Together with what shows that something is unsaved: an effect would come a moment later.
  useLayoutEffect(() => {
    if (!unsaved) return;
    leaving.current = false;
    const here = location.href;
    // It comes before `hashchange`, by which the router learns of a new place: what that then finds is the old one.
    const turn = () => {
      if (leaving.current || !now.current || location.href === here) return;
      // Whichever way it was, the step before this one leads there then: going on is going back, and leaves no second step to here.
      setWish({ goOn: () => history.back() });
      history.pushState(null, "", here);
    };
    const stay = (event: Event) => leaving.current || event.preventDefault();
    const release = watch({ ask: (goOn) => setWish({ goOn }), letGo: () => (leaving.current = true) });
    addEventListener("popstate", turn);
    addEventListener("beforeunload", stay);
    return () => {
      release();
      removeEventListener("popstate", turn);
      removeEventListener("beforeunload", stay);
    };
  }, [unsaved]);
  // What was saved meanwhile needs no question any more.
  useEffect(() => {
    if (!unsaved) setWish(null);
  }, [unsaved]);
  if (wish === null || !unsaved) return null;
  return (
    <Confirm
      title="Leave without saving?"
      verb="Leave"
      danger
      onClose={() => setWish(null)}
      onConfirm={async () => {
        leaving.current = true;
        try {
          await wish.goOn();
        } catch (error) {
          leaving.current = false;
          throw error;
        }
      }}
    >
      What you changed here is not saved and will be lost.
    </Confirm>
  );
}
