import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api/error";
import { missing, useMay } from "../../session/may";
import { go, href } from "../../shell/router";
import { Button, LinkButton, Loading, Note, Page, Tabs, Trouble, useLoad, type Loaded } from "../../ui";
import { Compare } from "./Compare";
import { Edit } from "./Edit";
import { Gone } from "./Gone";
import { dataPath, metadata, type Metadata, type Mount } from "./kv";
import { withLatest, type WithLatest } from "./latest";
import { crumbs, lastOf, placeOf } from "./places";
import { Removal } from "./Removal";
import { Settings } from "./Settings";
import { Values } from "./Values";
import { Versions } from "./Versions";

interface Props {
  at: Mount;
  name: string;
  query: URLSearchParams;
}

/** One secret: its values, versions and settings. What was just written is read anew before anything is shown, or changed from there. */
export function SecretOf(props: Props): JSX.Element {
  const [writes, setWrites] = useState(0);
  return <Secret key={writes} {...props} onWritten={() => setWrites(writes + 1)} />;
}

function Secret({ at, name, query, onWritten }: Props & { onWritten: () => void }): JSX.Element {
  const versioned = at.kind === "kv2";
  const tab = query.get("tab") ?? "values";
  const wanted = (versioned && Number(query.get("version"))) || undefined;
  const known = useLoad((signal) => (versioned ? metadata(at, name, signal).catch(orNothing) : Promise.resolve(null)), [at.path, name]);
  const loaded = useLoad((signal) => withLatest(at, name, wanted, signal), [at.path, name, wanted ?? 0]);
  const reload = () => (known.reload(), loaded.reload());
  const place = (more: Record<string, string | number> = {}) => placeOf(at.path, name, more);
  const tabs = [
    { path: place(), title: "Values" },
    { path: place({ tab: "versions" }), title: "Versions" },
    { path: place({ tab: "compare" }), title: "Compare" },
    { path: place({ tab: "settings" }), title: "Settings" },
  ];
  const written = () => {
    onWritten();
    // Replaced: nobody is asked about what is saved.
    go(place(), { replace: true });
  };
  return (
    <Page title={lastOf(name)} crumbs={crumbs(at.path, name)} actions={tab !== "edit" && <Actions at={at} name={name} wanted={wanted} loaded={loaded} onDone={reload} />}>
      {versioned && tab !== "edit" && <Tabs label="Parts of the secret" tabs={tabs} current={tab === "values" ? place() : place({ tab })} />}
      {tab === "versions" && versioned ? (
        <Versions at={at} name={name} known={known} onChange={reload} />
      ) : tab === "compare" && versioned ? (
        <Compare at={at} name={name} known={known} query={query} />
      ) : tab === "settings" && versioned ? (
        <Settings at={at} name={name} known={known} onChange={reload} />
      ) : (
        <Content at={at} name={name} wanted={wanted} editing={tab === "edit"} known={known} loaded={loaded} onWritten={written} />
      )}
    </Page>
  );
}

/** What can be done with the version that is shown. */
function Actions({ at, name, wanted, loaded, onDone }: { at: Mount; name: string; wanted?: number; loaded: Loaded<WithLatest>; onDone: () => void }): JSX.Element {
  const [removing, setRemoving] = useState(false);
  const versioned = at.kind === "kv2";
  const data = dataPath(at, name);
  const deletion = `${at.path}/delete/${name}`;
  const may = useMay(versioned ? [data, deletion] : [data]);
  const mayWrite = missing(may, data, "create", "update");
  const values = loaded.data?.content.values;
  const older = wanted === loaded.data?.latest.version ? undefined : wanted;
  const words = versioned ? "New version" : "Edit";
  // Without values the version at hand is nothing to begin with; the latest is.
  const edit = placeOf(at.path, name, { tab: "edit", ...(older && values ? { version: older } : {}) });
  const nothing = !values && !isBlind(loaded) && "There is nothing to delete";
  return (
    <>
      {mayWrite ? (
        <Button icon="edit" because={mayWrite}>
          {words}
        </Button>
      ) : (
        <LinkButton kind="primary" icon="edit" href={href(edit)}>
          {words}
        </LinkButton>
      )}
      <Button kind="danger" icon="trash" because={(older ? missing(may, deletion, "update", "create") : missing(may, data, "delete")) || nothing} onClick={() => setRemoving(true)}>
        Delete
      </Button>
      {removing && <Removal at={at} name={name} older={older} onDone={onDone} onClose={() => setRemoving(false)} />}
    </>
  );
}

interface ContentProps {
  at: Mount;
  name: string;
  wanted?: number;
  editing: boolean;
  known: Loaded<Metadata | null>;
  loaded: Loaded<WithLatest>;
  onWritten: () => void;
}

/** The values of a version, shown or changed. */
function Content({ at, name, wanted, editing, known, loaded, onWritten }: ContentProps): JSX.Element {
  const blind = isBlind(loaded);
  if (loaded.loading || (blind && known.loading)) return <Loading />;
  if (blind && editing) return <Edit at={at} name={name} latest={known.data?.current} onDone={onWritten} />;
  if (!loaded.data) return <Trouble error={loaded.error} what="this secret" onRetry={loaded.reload} />;
  const { content, latest } = loaded.data;
  if (editing && (content.values || !wanted)) return <Edit at={at} name={name} begin={loaded.data} latest={latest.version} onDone={onWritten} />;
  if (!content.values) return <Gone at={at} name={name} wanted={wanted} loaded={loaded.data} />;
  return (
    <>
      {content.version !== latest.version && (
        <Note tone="info">
          This is version {content.version}, not the latest one ({latest.version}).
        </Note>
      )}
      <Values at={at} name={name} content={content} version={wanted} />
    </>
  );
}

/** Whether the token may not read what it perhaps may write or delete. */
const isBlind = ({ data, error }: Loaded<WithLatest>): boolean => !data && error instanceof ApiError && error.isDenied;

/** What may not be seen or is not there is nothing; everything else is an error. */
function orNothing(error: unknown): null {
  if (error instanceof ApiError && (error.isDenied || error.isMissing)) return null;
  throw error;
}
