import type { JSX } from "preact";
import type { ScreenProps } from "../types";
import { Identity } from "./Identity";

/** One group. */
export default function Group(props: ScreenProps): JSX.Element {
  return <Identity sort="group" {...props} />;
}
