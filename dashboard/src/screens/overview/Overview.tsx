import type { JSX } from "preact";
import { Page } from "../../ui";

export default function Overview(): JSX.Element {
  return <Page title="Overview">{null}</Page>;
}
