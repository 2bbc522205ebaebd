import type { JSX } from "preact";
import { Door } from "../../shell/Door";

export function Initialise(): JSX.Element {
  return <Door>{null}</Door>;
}
