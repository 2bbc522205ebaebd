import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./Icon";

interface Props {
  label: string;
  icon?: IconName;
  words?: ComponentChildren;
  kind?: "quiet" | "";
  children: (close: () => void) => ComponentChildren;
}

/** A button that opens a short list of actions. Escape and a click elsewhere close it, arrows move in it. */
export function Menu({ label, icon, words, kind = "", children }: Props): JSX.Element {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // Before the next key arrives.
  useLayoutEffect(() => {
    if (!open) return;
    const outside = (event: Event) => place.current?.contains(event.target as Node) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    items(place.current)[0]?.focus();
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) {
      event.stopPropagation();
      setOpen(false);
      button.current?.focus();
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step || !open) return;
    event.preventDefault();
    const all = items(place.current);
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  return (
    <div class="menu" ref={place} onKeyDown={keys}>
      <button ref={button} type="button" class={`button ${kind} ${words ? "" : "icon"}`} aria-label={label} title={label} aria-haspopup="true" aria-expanded={open} onClick={() => setOpen(!open)}>
        {icon && <Icon name={icon} />}
        {words && <span>{words}</span>}
        {words && <Icon name="down" size={12} />}
      </button>
      {open && <div class="sheet">{children(() => (setOpen(false), button.current?.focus()))}</div>}
    </div>
  );
}

const items = (place: HTMLElement | null): HTMLElement[] => [...(place?.querySelectorAll<HTMLElement>(".item, .sheet input") ?? [])];
