import "../keys/keys.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useMay } from "../../session/may";
import { Badge, Loading, Note, Page, Tabs, Trouble, useLoad, when } from "../../ui";
import type { ScreenProps } from "../types";
import { About } from "./About";
import { FIRST_BENCH, type Bench } from "./bench";
import { DataKey } from "./DataKey";
import { Encrypt } from "./Encrypt";
import { aliasesOf, keyIfSeen, keyWord, placeOfKey, placeOfMount, isSymmetric, USAGES } from "./kms";
import { StateBadge } from "./Keys";
import { Mac } from "./Mac";
import { ReEncrypt } from "./ReEncrypt";
import { Rotation } from "./Rotation";
import { Sign } from "./Sign";
import { pathsOf, tryouts } from "./tryouts";

/** One master key: what it is, what becomes of it, and what can be tried with it. */
export default function KeyPage({ params, query }: ScreenProps): JSX.Element {
  const mount = params.mount ?? "";
  const name = params.key ?? "";
  const loaded = useLoad((signal) => keyIfSeen(mount, name, signal), [mount, name]);
  // Policies are about the name that is used, so the page goes by the one that it was opened with; people know the key by an alias.
  const aliases = useLoad((signal) => (name.startsWith("alias:") ? Promise.resolve([]) : aliasesOf(mount, name, signal)), [mount, name]);
  const may = useMay(pathsOf(mount, name));
  const [bench, setBench] = useState<Bench>(FIRST_BENCH);
  const key = loaded.data ?? null;
  const ready = may && (aliases.data || aliases.error) && !(loaded.loading && loaded.data === undefined);
  const offered = may ? tryouts(mount, name, key, may) : [];
  const tab = query.get("tab") || (key || offered.length === 0 ? "" : offered[0]!.id);
  const part = { mount, name, at: key, bench, onBench: (change: Partial<Bench>) => setBench((last) => ({ ...last, ...change })), may: may! };
  const tabs = [
    ...(key ? [{ path: placeOfKey(mount, name), title: "Key" }] : []),
    ...(key && isSymmetric(key) ? [{ path: placeOfKey(mount, name, "rotation"), title: "Rotation" }] : []),
    ...offered.map(({ id, title }) => ({ path: placeOfKey(mount, name, id), title })),
  ];
  return (
    <Page
      title={aliases.data?.[0] ?? keyWord(name)}
      crumbs={[
        { title: "Master keys", path: "/kms" },
        { title: mount, path: placeOfMount(mount) },
      ]}
      lead={
        key && (
          <span class="row">
            <StateBadge of={key.key_state} />
            <Badge tone="accent">{key.key_spec}</Badge>
            <Badge>{USAGES[key.key_usage] ?? key.key_usage}</Badge>
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
          {!key && offered.length > 0 && <Note>Your token may use this key, and not look at it: what fits its kind shows when you try.</Note>}
          {key?.key_state === "PendingDeletion" && <Note tone="warn">It will be deleted on {when(key.deletion_date)}, and is refused until then. Cancel that under Key if it is still needed.</Note>}
          {key?.key_state === "PendingImport" && (
            <Note tone="warn">
              Its material is missing. Import it: <code class="break">coffer kms import -key={keyWord(name)} material.bin</code>
            </Note>
          )}
          {key?.key_state === "Disabled" && tab !== "" && <Note tone="warn">It is disabled, and refused until somebody enables it under Key.</Note>}
          {tab === "" && key ? (
            <About mount={mount} name={name} at={key} may={may!} onChange={() => (loaded.reload(), aliases.reload())} />
          ) : tab === "rotation" && key ? (
            <Rotation mount={mount} name={name} at={key} may={may!} onChange={loaded.reload} />
          ) : !offered.some(({ id }) => id === tab) ? (
            <Trouble error={new Error("No policy of your token grants this, or a key of its kind can not do it.")} what="this part of the key" />
          ) : tab === "encrypt" ? (
            <Encrypt {...part} />
          ) : tab === "re-encrypt" ? (
            <ReEncrypt {...part} />
          ) : tab === "data-key" ? (
            <DataKey {...part} />
          ) : tab === "sign" ? (
            <Sign {...part} />
          ) : (
            <Mac {...part} />
          )}
        </>
      )}
    </Page>
  );
}
