import type { JSX } from "preact";
import { Listing } from "./Entities";

/** The groups of this namespace. */
export default function Groups(): JSX.Element {
  return <Listing sort="group" />;
}
