import type { ComponentType } from "preact";
import type { IconName } from "../ui/Icon";
import type { Capability } from "../session/capabilities";

/** What the navigation groups screens by. */
export type Area = "overview" | "secrets" | "credentials" | "events" | "tools" | "access" | "operations";

/** What a screen is given: what its pattern found in the path (`:name`, and `rest` for `*`) and the query. */
export interface ScreenProps {
  params: Record<string, string>;
  query: URLSearchParams;
}

/** A screen. */
export interface Screen {
  /** Where it is: `/secrets/:mount/*`. The first one that fits is shown, so narrow ones stand before wide ones. */
  path: string;
  area: Area;
  title: string;
  element: ComponentType<ScreenProps>;
  /** A place in the left navigation, with these words. */
  nav?: { label: string; icon?: IconName };
  /** What the token must be able to do for the screen to be of use; else it is left out of the navigation. */
  needs?: [path: string, capability: Capability];
  /** Is about the whole server, and of use in the root namespace alone; below it is left out of the navigation. */
  root?: boolean;
  /** A kind of engine that has to be mounted where the token sees it; else it is left out of the navigation. */
  engine?: string;
}

/** The areas in the order of the navigation. */
export const AREAS: { id: Area; title: string; icon: IconName }[] = [
  { id: "overview", title: "", icon: "overview" },
  { id: "secrets", title: "Secrets", icon: "secrets" },
  { id: "credentials", title: "Dynamic credentials", icon: "lease" },
  { id: "events", title: "What happens", icon: "events" },
  { id: "tools", title: "Engines", icon: "tools" },
  { id: "access", title: "Access", icon: "access" },
  { id: "operations", title: "Operations", icon: "operations" },
];
