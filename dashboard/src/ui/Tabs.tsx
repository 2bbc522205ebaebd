import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { href } from "../shell/router";

/** Parts of a screen that have places of their own: each tab is a link, so that it can be gone to and come back from. */
export function Tabs({ label, tabs, current }: { label: string; tabs: { path: string; title: string }[]; current: string }): JSX.Element {
  const row = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // Where not all fit beside each other, the current one is in sight.
    const tab = row.current?.querySelector<HTMLElement>("[aria-current]");
    if (!row.current || !tab) return;
    const [all, one] = [row.current.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (one.left < all.left || one.right > all.right) row.current.scrollLeft += one.left - all.left - (all.width - one.width) / 2;
  }, [current, tabs.length]);
  return (
    <nav class="tabs" aria-label={label} ref={row}>
      {tabs.map(({ path, title }) => (
        <a key={path} href={href(path)} aria-current={path === current ? "page" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

/** Two or more views of the same thing, without places of their own. */
export function Switch<T extends string>({ label, options, value, onInput }: { label: string; options: { value: T; label: string }[]; value: T; onInput: (value: T) => void }): JSX.Element {
  return (
    <div class="tabs" role="tablist" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="tab"
          aria-selected={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          onClick={() => onInput(option.value)}
          onKeyDown={(event) => {
            const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
            if (!step) return;
            const at = options.findIndex((one) => one.value === value) + step;
            const next = options[(at + options.length) % options.length];
            if (next) onInput(next.value);
            const tabs = (event.currentTarget as HTMLElement).parentElement!.children;
            (tabs[(at + options.length) % options.length] as HTMLElement).focus();
          }}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
