import type { JSX } from "preact";
import type { ScreenProps } from "../types";
import { ENGINES } from "./mounts/kinds";
import { MountPage } from "./mounts/MountPage";

/** One secrets engine's mount. */
export default function Engine({ params }: ScreenProps): JSX.Element {
  return <MountPage kind={ENGINES} at={params.mount ?? ""} />;
}
