import type { ComponentChildren, JSX } from "preact";
import { Spark } from "./Spark";

/** One number, with what it was lately. */
export function Stat({ label, value, more, values }: { label: string; value: ComponentChildren; more?: ComponentChildren; values?: number[] }): JSX.Element {
  return (
    <section class="card stat" aria-label={label}>
      <div class="body">
        <div class="label">{label}</div>
        <div class="value">{value}</div>
        <div class="more">{more}</div>
        {values && <Spark values={values} label={label} />}
      </div>
    </section>
  );
}
