import type { JSX } from "preact";
import type { ScreenProps } from "../types";
import { Identity } from "./Identity";

/** One entity. */
export default function Entity(props: ScreenProps): JSX.Element {
  return <Identity sort="entity" {...props} />;
}
