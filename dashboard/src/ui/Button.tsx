import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./Icon";
import { failed } from "./Toast";

interface Looks {
  /** How it looks: `primary` once a screen; `danger` for what takes something away. */
  kind?: "primary" | "danger" | "danger primary" | "quiet" | "";
  size?: "small" | "";
  icon?: IconName;
  /** The full width of its place. */
  block?: boolean;
  class?: string;
}

interface Props extends Looks {
  children?: ComponentChildren;
  /** What is done. While a promise is under way the button waits; its failure is told in a toast unless it is handled. */
  onClick?: (event: MouseEvent) => unknown;
  type?: "button" | "submit";
  disabled?: boolean;
  /** Why it can not be used; also disables it. */
  because?: string | false;
  /** Words for screen readers where there is only an icon. */
  label?: string;
  busy?: boolean;
  autoFocus?: boolean;
  /** Whether what it opens is open. */
  expanded?: boolean;
  id?: string;
}

/** A button. */
export function Button({ children, onClick, type = "button", disabled, because, label, busy, icon, autoFocus, expanded, id, ...looks }: Props): JSX.Element {
  const [working, setWorking] = useState(false);
  const waits = busy || working;
  const click = async (event: MouseEvent) => {
    const done = onClick?.(event);
    if (!(done instanceof Promise)) return;
    setWorking(true);
    try {
      await done;
    } catch (error) {
      failed(error);
    } finally {
      setWorking(false);
    }
  };
  return (
    <button
      id={id}
      type={type}
      class={classes(looks, icon && !children)}
      disabled={disabled || Boolean(because) || waits}
      aria-busy={waits}
      aria-label={label}
      aria-expanded={expanded}
      title={because || label}
      autofocus={autoFocus}
      onClick={click}
    >
      {waits ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton({ children, href, icon, download, ...looks }: Looks & { children?: ComponentChildren; href: string; download?: string }): JSX.Element {
  return (
    <a class={classes(looks, false)} href={href} download={download}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </a>
  );
}

function classes({ kind = "", size = "", block, class: more = "" }: Looks, isIcon: unknown): string {
  return ["button", kind, size, isIcon && "icon", block && "block", more].filter(Boolean).join(" ");
}
