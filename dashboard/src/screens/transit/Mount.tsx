import "../keys/keys.css";
import type { JSX } from "preact";
import { Page, Tabs } from "../../ui";
import { useMay } from "../../session/may";
import type { ScreenProps } from "../types";
import { Hash } from "./Hash";
import { Keys } from "./Keys";
import { Random } from "./Random";
import { placeOfMount } from "./transit";

/** A transit engine: its keys, and what it does without one. */
export default function Mount({ params, query }: ScreenProps): JSX.Element {
  const mount = params.mount ?? "";
  const tab = query.get("tab") ?? "";
  const may = useMay([`${mount}/random`, `${mount}/hash`]);
  const tabs = [
    { path: placeOfMount(mount), title: "Keys" },
    ...(may?.(`${mount}/random`, "update", "create") ? [{ path: placeOfMount(mount, "random"), title: "Random bytes" }] : []),
    ...(may?.(`${mount}/hash`, "update", "create") ? [{ path: placeOfMount(mount, "hash"), title: "Hash" }] : []),
  ];
  return (
    <Page title={`${mount}/`} crumbs={[{ title: "Transit", path: "/transit" }]}>
      <Tabs label="Parts of the engine" tabs={tabs} current={placeOfMount(mount, tab)} />
      {tab === "random" ? <Random mount={mount} /> : tab === "hash" ? <Hash mount={mount} /> : <Keys mount={mount} />}
    </Page>
  );
}
