import "../keys/keys.css";
import type { JSX } from "preact";
import { useMay } from "../../session/may";
import { Page, Tabs } from "../../ui";
import type { ScreenProps } from "../types";
import { Keys } from "./Keys";
import { Random } from "./Random";
import { placeOfMount } from "./kms";

/** An engine with master keys. */
export default function Mount({ params, query }: ScreenProps): JSX.Element {
  const mount = params.mount ?? "";
  const tab = query.get("tab") ?? "";
  const may = useMay([`${mount}/random`]);
  const tabs = [{ path: placeOfMount(mount), title: "Master keys" }, ...(may?.(`${mount}/random`, "update", "create") ? [{ path: placeOfMount(mount, "random"), title: "Random bytes" }] : [])];
  return (
    <Page title={`${mount}/`} crumbs={[{ title: "Master keys", path: "/kms" }]}>
      <Tabs label="Parts of the engine" tabs={tabs} current={placeOfMount(mount, tab)} />
      {tab === "random" ? <Random mount={mount} /> : <Keys mount={mount} />}
    </Page>
  );
}
