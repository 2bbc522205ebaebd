import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { AREAS, SCREENS, type Area, type Screen } from "../screens";
import { capabilities, namespace, session } from "../session";
import { grants } from "../session/capabilities";
import { returns } from "../session/server";
import { engines, seen } from "../session/engines";
import { Icon } from "../ui";
import { href, match } from "./router";

/** The left navigation: what this token can use, grouped by area. */
export function Nav({ area, path }: { area: Area | undefined; path: string }): JSX.Element {
  const usable = useUsable();
  useEngines(area);
  const listed = usable.filter(({ nav, engine, root }) => nav && (!root || namespace.value === "") && (!engine || seen.value.some(({ type }) => type === engine)));
  // The entry of the screen at hand, else the one whose place it is below, else the first one of its area.
  const current = listed.find((screen) => match(screen.path, path)) ?? listed.find((screen) => path.startsWith(`${linkOf(screen)}/`)) ?? listed.find((screen) => screen.area === area);
  const shown = current?.path;
  useEffect(() => {
    // In a low window the entry of the screen at hand may be further down.
    document.querySelector('.nav a[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [shown]);
  return (
    <nav class="nav" aria-label="Areas">
      {AREAS.map(({ id, title, icon }) => {
        const screens = listed.filter((screen) => screen.area === id);
        if (screens.length === 0) return null;
        return (
          <div key={id}>
            {title && screens.length > 1 && <div class="group">{title}</div>}
            {screens.map((screen) => (
              <a key={screen.path} href={href(linkOf(screen))} aria-current={screen === current ? "page" : undefined}>
                <Icon name={screen.nav?.icon ?? icon} />
                {screen.nav?.label}
              </a>
            ))}
          </div>
        );
      })}
    </nav>
  );
}

/** The place of a screen without its parameters. */
const linkOf = (screen: Screen): string => screen.path.replace(/\/[:*].*$/, "") || "/";

/** Looks at what is mounted: engines come and go while somebody is signed in. */
function useEngines(area: Area | undefined): void {
  // A token whose uses are counted is not spent on that.
  const again = session.value?.isCounted ? undefined : area;
  useEffect(() => void engines().catch((error: unknown) => {
    // Only who was refused sees none; a server that is away says nothing of its engines.
    if (error instanceof ApiError && error.isDenied) seen.value = [];
  }), [session.value?.accessor, namespace.value, again]);
}

function useUsable(): Screen[] {
  const [usable, setUsable] = useState<Screen[]>(SCREENS.filter((screen) => !screen.needs));
  const accessor = session.value?.accessor;
  const again = returns.value;
  useEffect(() => {
    let live = true;
    const paths = SCREENS.flatMap((screen) => (screen.needs ? [screen.needs[0]] : []));
    void capabilities([...new Set(paths)]).then((all) => {
      const can = ({ needs }: Screen) => !needs || grants(all[needs[0]], needs[1]);
      if (live) setUsable(SCREENS.filter(can));
    });
    return () => {
      live = false;
    };
  }, [accessor, namespace.value, again]);
  return usable;
}
