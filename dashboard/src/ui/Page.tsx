import type { ComponentChildren, JSX } from "preact";
import { href } from "../shell/router";
import { Icon } from "./Icon";
import { useWhole } from "./useWhole";

interface Props {
  title: string;
  lead?: ComponentChildren;
  /** The way here, from the outside in, without this screen itself. */
  crumbs?: { title: string; path: string }[];
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A screen: its heading with actions, and its parts one below the other. */
export function Page({ title, lead, crumbs, actions, children }: Props): JSX.Element {
  return (
    <div class={`stack wide ${useWhole() ? "" : "to-come"}`}>
      <div class="page-head">
        <div class="grow">
          {crumbs && crumbs.length > 0 && (
            <nav class="crumbs" aria-label="The way here">
              {crumbs.map((crumb) => (
                <span key={crumb.path}>
                  <a href={href(crumb.path)}>{crumb.title}</a>
                  <Icon name="chevron" size={12} />
                </span>
              ))}
            </nav>
          )}
          <h1 class="break">{title}</h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="row">{actions}</div>}
      </div>
      {children}
    </div>
  );
}
