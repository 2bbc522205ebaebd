import type { JSX } from "preact";
import { Door } from "../../shell/Door";

export function Unseal(): JSX.Element {
  return <Door>{null}</Door>;
}
