import type { JSX } from "preact";
import { ENGINES } from "./mounts/kinds";
import { Mounts } from "./mounts/Mounts";

/** The secrets engines of this namespace. */
export default function Engines(): JSX.Element {
  return <Mounts kind={ENGINES} />;
}
