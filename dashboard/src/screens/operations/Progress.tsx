import type { JSX } from "preact";
import { useId } from "preact/hooks";

/** How many shares of those needed were given. */
export function Progress({ given, needed }: { given: number; needed: number }): JSX.Element {
  const id = useId();
  return (
    <div class="stack tight">
      <span id={id} class="small" role="status">
        {given} of {needed} given
      </span>
      <div class="bar" role="progressbar" aria-labelledby={id} aria-valuemin={0} aria-valuemax={needed} aria-valuenow={given}>
        <span style={{ width: `${(100 * given) / Math.max(1, needed)}%` }} />
      </div>
    </div>
  );
}
