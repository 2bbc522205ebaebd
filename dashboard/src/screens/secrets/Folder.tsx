import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useMayBelow } from "../../session/below";
import { go, href } from "../../shell/router";
import { Button, Card, Command, Empty, Field, Icon, LinkButton, operands, Page, Trouble, useLoad } from "../../ui";
import { Loading } from "../../ui/Loading";
import { useSettled } from "../../ui/useSettled";
import { wrongOf } from "./Create";
import { dataPath, listPath, names, type Mount } from "./kv";
import { crumbs, lastOf, placeOf } from "./places";
import { search, type Search } from "./search";

const SHOWN_AT_ONCE = 200;
const PAUSE_MS = 250;

/** What is in a folder, with a search through it and everything below. */
export function Folder({ at, folder, query }: { at: Mount; folder: string; query: URLSearchParams }): JSX.Element {
  const { data, error, reload } = useLoad((signal) => names(at, folder, signal), [at.path, folder]);
  const [wanted, setWanted] = useState(query.get("search") ?? "");
  const settled = useSettled(wanted.trim(), PAUSE_MS);
  const hits = useSearch(at, folder, wanted.trim(), settled);
  const many = Number(query.get("shown")) || SHOWN_AT_ONCE;
  // Both are in the address, so that whoever comes back from a secret finds the folder as it was.
  const keep = (search: string, shown: number) => go(placeOf(at.path, folder, { ...(search && { search }), ...(shown > SHOWN_AT_ONCE && { shown }) }), { replace: true });
  useEffect(() => {
    if (settled !== (query.get("search") ?? "")) keep(settled, SHOWN_AT_ONCE);
  }, [settled]);
  const more = () => keep(settled, many + SHOWN_AT_ONCE);
  // That no rule is seen does not say that there is none: those with `+` are not listed. The form asks for the name that is typed.
  const unseen = useMayBelow(dataPath(at, folder), "create") === false;
  return (
    <Page
      title={folder ? `${lastOf(folder)}/` : `${at.path}/`}
      crumbs={crumbs(at.path, folder)}
      lead={folder ? undefined : at.description || undefined}
      actions={
        <>
          {at.kind === "kv2" && !folder && <LinkButton href={href(placeOf(at.path, "", { settings: "" }))}>Settings of the mount</LinkButton>}
          <LinkButton kind={unseen ? "" : "primary"} icon="plus" href={href(placeOf(at.path, folder, { new: "" }))}>
            Create a secret
          </LinkButton>
        </>
      }
    >
      <Card flush>
        <div class="kv-search">
          <Field
            label="Search by name, in this folder and below"
            bare
            type="search"
            placeholder="Search by name, in this folder and below"
            value={wanted}
            onInput={setWanted}
          />
        </div>
        {wanted.trim() ? (
          <Hits at={at} folder={folder} hits={hits} many={many} onMore={more} />
        ) : error && !data ? (
          <NotListed at={at} folder={folder} error={error} reload={reload} />
        ) : !data ? (
          <Loading />
        ) : data.length === 0 ? (
          <Empty icon="folder" title="There is nothing here yet" text={unseen ? "And no rule is known that lets your token write here." : "Create the first secret; a name with slashes makes folders by itself."} />
        ) : (
          <Names at={at} names={data.map((name) => folder + name)} strip={folder.length} many={many} onMore={more} />
        )}
      </Card>
      <Command
        cli={at.kind === "cubbyhole" ? ["list", ...operands(`${at.path}/${folder}`)] : ["kv", "list", `-mount=${at.path}`, ...operands(folder || "/")]}
        request={{ method: "GET", path: listPath(at, folder), query: { list: true } }}
      />
    </Page>
  );
}

/** Links to names; a long list grows on demand, so that the page stays quick. */
function Names({ at, names, strip, many, onMore }: { at: Mount; names: string[]; strip: number; many: number; onMore: () => void }): JSX.Element {
  return (
    <>
      <ul class="kv-names">
        {names.slice(0, many).map((name) => (
          <li key={name}>
            <a href={href(placeOf(at.path, name))}>
              <Icon name={name.endsWith("/") ? "folder" : "file"} />
              <span class="break">{name.slice(strip) || "(no name)"}</span>
            </a>
          </li>
        ))}
      </ul>
      {names.length > many && (
        <div class="kv-more row">
          <Button size="small" onClick={onMore}>
            Show more
          </Button>
          <span class="muted small">
            {many.toLocaleString()} of {names.length.toLocaleString()}
          </span>
        </div>
      )}
    </>
  );
}

function Hits({ at, folder, hits, many, onMore }: { at: Mount; folder: string; hits: Search | Error | null; many: number; onMore: () => void }): JSX.Element {
  if (hits instanceof Error) return <Trouble error={hits} what="this folder" />;
  if (!hits) return <Loading />;
  return (
    <>
      <p class="kv-more small muted" role="status">
        {hits.done ? "" : "Searching … "}
        {hits.found.length} found in {hits.folders} {hits.folders === 1 ? "folder" : "folders"}
        {hits.denied > 0 && `; ${hits.denied} may not be listed by your token`}
        {hits.cut && "; there is more than a search looks at: begin in a folder further down, or type more of the name"}.
      </p>
      {hits.found.length > 0 && <Names at={at} names={hits.found} strip={folder.length} many={many} onMore={onMore} />}
      {hits.done && hits.found.length === 0 && <Empty icon="search" title="No name has that in it" text="Names are looked through, never values." />}
    </>
  );
}

/** Names may be secret to a token that may still read some of them. */
function NotListed({ at, folder, error, reload }: { at: Mount; folder: string; error: unknown; reload: () => void }): JSX.Element {
  const [typed, setTyped] = useState("");
  const name = folder + typed.replace(/^\/+/, "");
  const wrong = typed === "" ? null : wrongOf(name.replace(/\/$/, ""));
  return (
    <>
      <Trouble error={error} what="the names here" onRetry={reload} />
      <form
        class="kv-open"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed && !wrong) go(placeOf(at.path, name));
        }}
      >
        <Field label="Open a secret by its name" value={typed} onInput={setTyped} mono placeholder="app/database" wrong={wrong} />
        <Button type="submit" disabled={!typed} because={wrong ?? false}>
          Open
        </Button>
      </form>
    </>
  );
}

/** What is found of a text that was typed, as soon as it has settled. */
function useSearch(at: Mount, folder: string, wanted: string, settled: string): Search | Error | null {
  const [hits, setHits] = useState<Search | Error | null>(null);
  useEffect(() => {
    setHits(null);
    if (!settled || settled !== wanted) return;
    const ending = new AbortController();
    search(at, folder, settled, ending.signal, setHits).catch((error: Error) => ending.signal.aborted || setHits(error));
    return () => ending.abort();
  }, [at.path, folder, wanted, settled]);
  return hits;
}
