import type { JSX } from "preact";
import { Button } from "../../ui";
import { KEPT_MAX } from "./tail";

/** What stands below a list that is bounded twice: by what is drawn and by what is kept. */
export function ListEnd({ shown, found, dropped, more }: { shown: number; found: number; dropped: number; more: () => void }): JSX.Element | null {
  if (found <= shown && dropped === 0) return null;
  return (
    <div class="tail-end row apart">
      <span class="small muted">
        {found > shown && `The newest ${shown.toLocaleString()} of ${found.toLocaleString()}. `}
        {dropped > 0 && `${dropped.toLocaleString()} older ones are no longer kept here: this page keeps the newest ${KEPT_MAX.toLocaleString()}.`}
      </span>
      {found > shown && (
        <Button size="small" onClick={more}>
          Show more
        </Button>
      )}
    </div>
  );
}
