import type { JSX } from "preact";
import { href } from "./router";

/** The name at the upper left, which leads to the beginning. */
export function Brand(): JSX.Element {
  return (
    <a class="brand" href={href("/")}>
      <img src="/ui/icon.svg" alt="" />
      Coffer
    </a>
  );
}
