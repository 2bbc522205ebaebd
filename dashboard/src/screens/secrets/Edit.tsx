import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { href } from "../../shell/router";
import { Button, Card, Field, LinkButton, Note, sentence, toast } from "../../ui";
import { useUnsaved } from "../../ui/useUnsaved";
import { Conflict } from "./Conflict";
import { draftOf, Editor, isChanged, valuesOfDraft } from "./Editor";
import { isSame, type Fields } from "../../api/json";
import { content, isConflict, metadata, put, type Mount } from "./kv";
import type { WithLatest } from "./latest";
import { placeOf } from "./places";
import { PutCommand } from "./PutCommand";

interface Props {
  at: Mount;
  name: string;
  /** What the editing begins with; nothing if the token may not read what it writes over. */
  begin?: WithLatest;
  /** The number of the latest version, if it is known. */
  latest?: number;
  onDone: () => void;
}

/** Changes a secret, and never over what somebody else wrote meanwhile. */
export function Edit({ at, name, begin, latest, onDone }: Props): JSX.Element {
  // All stay as they were when the editing began, even if the screen loads again.
  const [first] = useState<Fields>(begin?.content.values ?? {});
  const [base, setBase] = useState<Fields>(begin?.latest.values ?? {});
  const [cas, setCas] = useState(at.kind === "kv2" ? latest : undefined);
  const [asksForLatest] = useState(at.kind === "kv2" && latest === undefined);
  const [draft, setDraft] = useState(() => draftOf(first));
  const [theirs, setTheirs] = useState<{ values: Fields; version: number } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const guard = useUnsaved(isChanged(draft, first));
  const { values, wrong } = valuesOfDraft(draft);
  const write = async (values: Fields) => {
    if (at.kind !== "kv2" && begin) {
      // These places have no check-and-set; a look right before is the next best.
      const now = (await content(at, name)).values ?? {};
      if (!isSame(now, base)) return setTheirs({ values: now, version: 0 });
    }
    const version = await put(at, name, values, cas);
    toast(version ? `Written: version ${version}` : `Written: ${name}`);
    onDone();
  };
  const contested = async () => {
    if (begin) {
      // Number and values of one answer: another write may come between two.
      const now = await content(at, name);
      return setTheirs({ values: now.values ?? {}, version: now.version });
    }
    const now = await metadata(at, name).catch(() => null);
    if (!now) throw new Error(`Version ${cas} is not the latest one. Nothing was written.`);
    setCas(now.current);
    throw new Error(`Somebody wrote version ${now.current} meanwhile. Nothing was written; save again to replace it.`);
  };
  const save = async () => {
    if (!values || busy) return;
    setBusy(true);
    setError(null);
    try {
      await write(values).catch((reason) => {
        if (!isConflict(reason)) throw reason;
        return contested();
      });
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    } finally {
      setBusy(false);
    }
  };
  const settle = (merged: Fields) => {
    setDraft({ ...draftOf(merged), mode: draft.mode });
    setBase(theirs?.values ?? {});
    setCas(at.kind === "kv2" ? theirs?.version : undefined);
    setTheirs(null);
  };
  return (
    <>
      {guard}
      {begin ? <Beginning of={begin} /> : <Note tone="warn">Your token may write here but not read. What you write replaces all that is there{cas === undefined && !asksForLatest ? ", without a look at whether somebody else has changed it" : ""}.</Note>}
      {theirs && values && <Conflict base={base} mine={values} theirs={theirs.values} version={theirs.version} onSettle={settle} />}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Card title={cas !== undefined ? `Version ${cas + 1}` : "Values"}>
          <div class="stack">
            {asksForLatest && <Field label="Latest version" type="number" min={0} value={cas ?? ""} onInput={(to) => setCas(/^\d+$/.test(to) ? Number(to) : undefined)} hint="It is written only if this is still the latest one; some places demand that. 0: there is none yet. Empty: over whatever is there" />}
            <Editor draft={draft} onInput={setDraft} />
            {error && <Note tone="bad">{error}</Note>}
            <div class="row end">
              <LinkButton href={href(placeOf(at.path, name))}>Cancel</LinkButton>
              <Button type="submit" kind="primary" busy={busy} because={wrong ?? (theirs ? "Settle the conflict first" : false)}>
                Save
              </Button>
            </div>
          </div>
        </Card>
      </form>
      <PutCommand at={at} name={name} keys={Object.keys(values ?? {})} cas={cas} />
    </>
  );
}

/** Says so where the editing begins with something else than the values of the latest version. */
function Beginning({ of: { content, latest } }: { of: WithLatest }): JSX.Element | null {
  if (content.version !== latest.version) {
    return (
      <Note tone="info">
        These are the values of version {content.version}; the latest is {latest.version}. What you save replaces it.
      </Note>
    );
  }
  if (latest.version > 0 && !latest.values) return <Note tone="info">The latest version, {latest.version}, has no values any more. This begins with nothing.</Note>;
  return null;
}
