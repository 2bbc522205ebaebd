import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../api/error";
import { missing, useMay } from "../../session/may";
import { go, href } from "../../shell/router";
import { Button, Card, Field, LinkButton, Note, Page, sentence, toast } from "../../ui";
import { useUnsaved } from "../../ui/useUnsaved";
import { useSettled } from "../../ui/useSettled";
import { draftOf, Editor, isChanged, valuesOfDraft } from "./Editor";
import { content, dataPath, isConflict, put, type Mount } from "./kv";
import { crumbs, lastOf, placeOf } from "./places";
import { PutCommand } from "./PutCommand";

/** Writes the first version of a secret. One that is there already is never replaced from here. */
export function Create({ at, folder }: { at: Mount; folder: string }): JSX.Element {
  const [name, setName] = useState(folder);
  const [draft, setDraft] = useState(() => draftOf({}));
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const guard = useUnsaved(name !== folder || isChanged(draft, {}));
  const { values, wrong } = valuesOfDraft(draft);
  const wrongName = wrongOf(name);
  // Rights go by the whole name, so they are asked for as soon as there is one.
  const settled = useSettled(name);
  const target = dataPath(at, settled);
  const may = useMay(wrongOf(settled) ? [] : [target]);
  const denied = !wrongName && settled === name && may ? missing(may, target, "create") : false;
  const save = async () => {
    if (!values || wrongName || busy) return;
    setBusy(true);
    setError(null);
    try {
      // Without versions there is no check-and-set, so it is looked whether something is there.
      const there = at.kind !== "kv2" && (await content(at, name).catch(unlessDenied))?.values;
      if (there) throw new Error(`There is a secret at ${name} already. Open it to change it.`);
      await put(at, name, values, 0);
      toast(`Written: ${name}`);
      go(placeOf(at.path, name), { replace: true });
    } catch (reason) {
      setError(isConflict(reason) ? `There is a secret at ${name} already, or one that was deleted. Open it to write a new version.` : sentence(reason instanceof Error ? reason.message : String(reason)));
      setBusy(false);
    }
  };
  return (
    <Page title="Create a secret" crumbs={[...crumbs(at.path, folder), { title: folder ? lastOf(folder) : at.path, path: placeOf(at.path, folder) }].filter(onlyOnce)}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Card>
          <div class="stack">
            <Field label="Name" value={name} onInput={setName} mono autoFocus hint="Slashes make folders: app/database" wrong={name !== folder && (wrongName || denied)} />
            <Editor draft={draft} onInput={setDraft} />
            {error && (
              <Note tone="bad">
                {error} {error.includes("already") && !wrongName && <a href={href(placeOf(at.path, name))}>Open it</a>}
              </Note>
            )}
            <div class="row end">
              <LinkButton href={href(placeOf(at.path, folder))}>Cancel</LinkButton>
              <Button type="submit" kind="primary" busy={busy} disabled={!values || Boolean(wrongName)} because={wrongName ?? (denied || wrong || false)}>
                Create
              </Button>
            </div>
          </div>
        </Card>
      </form>
      {guard}
      <PutCommand at={at} name={name || "name"} keys={Object.keys(values ?? {})} cas={0} />
    </Page>
  );
}

/** What is wrong with a name; null if nothing is. */
export function wrongOf(name: string): string | null {
  if (name === "" || name.endsWith("/")) return "A name is needed, and it can not end with a slash.";
  if (name.startsWith("/") || name.includes("//")) return "Each part between slashes needs a name.";
  if (name.split("/").some((part) => part === "." || part === "..")) return "A part can not be . or ..";
  return null;
}

/** Who may not look has to write without. */
function unlessDenied(error: unknown): null {
  if (error instanceof ApiError && error.isDenied) return null;
  throw error;
}

const onlyOnce = ({ path }: { path: string }, index: number, all: { path: string }[]): boolean => all.findIndex((one) => one.path === path) === index;
