import "../keys/keys.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useMay } from "../../session/may";
import { Badge, Loading, Note, Page, Tabs, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { About } from "./About";
import { FIRST_BENCH, type Bench } from "./bench";
import { pathsOf, tryouts } from "./tryouts";
import { DataKey } from "./DataKey";
import { Encrypt } from "./Encrypt";
import { Hmac } from "./Hmac";
import { Rewrap } from "./Rewrap";
import { Settings } from "./Settings";
import { Sign } from "./Sign";
import { keyIfSeen, placeOfKey, placeOfMount } from "./transit";

/** One key: what it is, its settings, and what can be tried with it. */
export default function KeyPage({ params, query }: ScreenProps): JSX.Element {
  const mount = params.mount ?? "";
  const name = params.key ?? "";
  const loaded = useLoad((signal) => keyIfSeen(mount, name, signal), [mount, name]);
  const paths = pathsOf(mount, name);
  const may = useMay(paths);
  // What is tried out goes from one tab to the next: encrypted here, rewrapped there.
  const [bench, setBench] = useState<Bench>(FIRST_BENCH);
  const key = loaded.data ?? null;
  const ready = may && !(loaded.loading && loaded.data === undefined);
  const offered = may ? tryouts(mount, name, key, may) : [];
  const wanted = query.get("tab") ?? "";
  const tab = wanted || (key || offered.length === 0 ? "" : offered[0]!.id);
  const part = { mount, name, at: key, bench, onBench: (change: Partial<Bench>) => setBench((last) => ({ ...last, ...change })), may: may! };
  const tabs = [
    ...(key ? [{ path: placeOfKey(mount, name), title: "Key" }] : []),
    ...offered.map(({ id, title }) => ({ path: placeOfKey(mount, name, id), title })),
    ...(key ? [{ path: placeOfKey(mount, name, "settings"), title: "Settings" }] : []),
  ];
  return (
    <Page
      title={name}
      crumbs={[
        { title: "Transit", path: "/transit" },
        { title: mount, path: placeOfMount(mount) },
      ]}
      lead={
        key && (
          <span class="row">
            <Badge tone="accent">{key.type}</Badge>
            {key.derived && <Badge>derived</Badge>}
            {key.convergent && <Badge>convergent</Badge>}
            {key.softDeleted && <Badge tone="warn">out of use</Badge>}
          </span>
        )
      }
    >
      {loaded.error && !loaded.data ? (
        <Trouble error={loaded.error} what="this key" onRetry={loaded.reload} />
      ) : !ready ? (
        <Loading />
      ) : (
        <>
          {tabs.length > 0 && <Tabs label="Parts of the key" tabs={tabs} current={placeOfKey(mount, name, tab)} />}
          {!key && offered.length > 0 && <Note>Your token may use this key, and not look at it: what fits its type shows when you try.</Note>}
          {key?.softDeleted && tab !== "settings" && <Note tone="warn">It is out of use: the server refuses it until somebody takes it back into use under Settings.</Note>}
          {tab === "" && key ? (
            <About mount={mount} at={key} may={may!} onChange={loaded.reload} />
          ) : tab === "settings" && key ? (
            <Settings key={JSON.stringify(key)} mount={mount} at={key} may={may!} onChange={loaded.reload} />
          ) : !offered.some(({ id }) => id === tab) ? (
            <Trouble error={new Error(`No policy of your token grants this, or a key of its type can not do it.`)} what="this part of the key" />
          ) : tab === "encrypt" ? (
            <Encrypt {...part} />
          ) : tab === "rewrap" ? (
            <Rewrap {...part} />
          ) : tab === "sign" ? (
            <Sign {...part} />
          ) : tab === "hmac" ? (
            <Hmac {...part} />
          ) : (
            <DataKey {...part} />
          )}
        </>
      )}
    </Page>
  );
}
