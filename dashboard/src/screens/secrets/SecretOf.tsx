import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, href } from "../../shell/router";
import { Button, Confirm, Empty, LinkButton, Note, Page, Tabs, toast, Trouble, useLoad } from "../../ui";
import { Loading } from "../../ui/Loading";
import { Compare } from "./Compare";
import { Edit } from "./Edit";
import { content, dataPath, isGone, metadata, metadataPath, removeLatest, type Metadata, type Mount } from "./kv";
import { missing, useMay } from "../../session/may";
import { crumbs, lastOf, placeOf } from "./places";
import { Settings } from "./Settings";
import { Values } from "./Values";
import { Versions } from "./Versions";

/** One secret: its values, versions and settings. */
export function SecretOf({ at, name, query }: { at: Mount; name: string; query: URLSearchParams }): JSX.Element {
  const versioned = at.kind === "kv2";
  const tab = query.get("tab") ?? "values";
  const wanted = Number(query.get("version")) || undefined;
  const data = dataPath(at, name);
  const about = metadataPath(at, name);
  const may = useMay(versioned ? [data, about] : [data]);
  const known = useLoad<Metadata | null>((signal) => (versioned ? metadata(at, name, signal).catch(() => null) : Promise.resolve(null)), [at.path, name]);
  const loaded = useLoad((signal) => content(at, name, wanted, signal), [at.path, name, wanted ?? 0]);
  const [removing, setRemoving] = useState(false);
  const reload = () => (known.reload(), loaded.reload());
  const place = (more: Record<string, string | number> = {}) => placeOf(at.path, name, more);
  const mayWrite = missing(may, data, "create", "update");
  const current = known.data?.current ?? loaded.data?.version ?? 0;
  const editing = tab === "edit";
  const tabs = [
    { path: place(), title: "Values" },
    { path: place({ tab: "versions" }), title: "Versions" },
    { path: place({ tab: "compare" }), title: "Compare" },
    { path: place({ tab: "settings" }), title: "Settings" },
  ];
  return (
    <Page
      title={lastOf(name)}
      crumbs={crumbs(at.path, name)}
      actions={
        !editing && (
          <>
            {mayWrite ? (
              <Button icon="edit" because={mayWrite}>
                {versioned ? "New version" : "Edit"}
              </Button>
            ) : (
              <LinkButton kind="primary" icon="edit" href={href(place({ tab: "edit", ...(wanted ? { version: wanted } : {}) }))}>
                {versioned ? "New version" : "Edit"}
              </LinkButton>
            )}
            <Button kind="danger" icon="trash" because={missing(may, data, "delete") || (!loaded.data?.values && "There is nothing to delete")} onClick={() => setRemoving(true)}>
              Delete
            </Button>
          </>
        )
      }
    >
      {versioned && !editing && <Tabs label="Parts of the secret" tabs={tabs} current={tab === "values" ? place() : place({ tab })} />}
      {removing && (
        <Confirm
          title={`Delete ${name}?`}
          verb="Delete"
          danger
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await removeLatest(at, name);
            toast(`Deleted: ${name}`);
            if (versioned) reload();
            else go(placeOf(at.path, `${name.split("/").slice(0, -1).join("/")}${name.includes("/") ? "/" : ""}`));
          }}
        >
          {versioned ? "The latest version can be read no more, until somebody brings it back under Versions." : "It is gone for good: this place keeps no versions."}
        </Confirm>
      )}
      {tab === "versions" && versioned ? (
        <Versions at={at} name={name} known={known} onChange={reload} />
      ) : tab === "compare" && versioned ? (
        <Compare at={at} name={name} known={known} query={query} />
      ) : tab === "settings" && versioned ? (
        <Settings at={at} name={name} known={known} />
      ) : loaded.error && !loaded.data && !editing ? (
        <Trouble error={loaded.error} what="this secret" onRetry={loaded.reload} />
      ) : loaded.loading || !may || known.loading ? (
        <Loading />
      ) : editing ? (
        <Edit at={at} name={name} base={loaded.data?.values ?? null} blind={Boolean(loaded.error)} cas={loaded.error && !known.data ? undefined : current} onDone={reload} />
      ) : loaded.data?.values ? (
        <>
          {wanted && wanted !== current && <Note tone="info">This is version {wanted}, not the latest one ({current}).</Note>}
          <Values at={at} name={name} content={loaded.data} version={wanted} />
        </>
      ) : (
        <Empty
          icon="secrets"
          title={loaded.data?.destroyed ? "This version was destroyed" : loaded.data && isGone(loaded.data) ? "This version was deleted" : "There is no such secret"}
          text={loaded.data?.destroyed ? "Its values are gone for good." : loaded.data?.version ? "It can be brought back under Versions." : "It may have been deleted, or its name be another one."}
        >
          {loaded.data?.version ? <LinkButton href={href(place({ tab: "versions" }))}>To the versions</LinkButton> : null}
        </Empty>
      )}
    </Page>
  );
}
