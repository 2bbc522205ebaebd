import type { ComponentChildren, JSX } from "preact";

/** A part of a screen with a frame. `actions` are at its head, `flush` lets a table reach its edges. */
export function Card({ title, actions, flush, foot, children }: { title?: ComponentChildren; actions?: ComponentChildren; flush?: boolean; foot?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <section class="card">
      {(title || actions) && (
        <header>
          <h2>{title}</h2>
          {actions && <div class="row">{actions}</div>}
        </header>
      )}
      <div class={`body ${flush ? "flush" : ""}`}>{children}</div>
      {foot && <footer>{foot}</footer>}
    </section>
  );
}
