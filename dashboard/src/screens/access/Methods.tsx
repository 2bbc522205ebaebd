import type { JSX } from "preact";
import { METHODS } from "../operations/mounts/kinds";
import { Mounts } from "../operations/mounts/Mounts";

/** The auth methods of this namespace. */
export default function Methods(): JSX.Element {
  return <Mounts kind={METHODS} />;
}
