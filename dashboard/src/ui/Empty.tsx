import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./Icon";

/** Nothing is there yet: says so, and what to do. `children` are the buttons. */
export function Empty({ title, text, icon, children }: { title: string; text?: ComponentChildren; icon?: IconName; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      {icon && <Icon name={icon} size={24} />}
      <div class="title">{title}</div>
      {text && <p>{text}</p>}
      {children && <div class="row">{children}</div>}
    </div>
  );
}
