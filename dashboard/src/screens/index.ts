import { lazy } from "./lazy";
import type { Screen } from "./types";

export { AREAS, type Area, type Screen, type ScreenProps } from "./types";

/** Every screen, in the order of the navigation. A new one is a file in its area's folder and a line here. */
export const SCREENS: Screen[] = [
  { path: "/", area: "overview", title: "Overview", element: lazy(() => import("./overview/Overview")), nav: { label: "Overview" } },
];
