import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go } from "../../shell/router";
import { Button, Card, LinkButton, Note, sentence, toast } from "../../ui";
import { Conflict } from "./Conflict";
import { draftOf, Editor, valuesOfDraft } from "./Editor";
import { isSame, type Fields } from "../../api/json";
import { content, isConflict, metadata, put, type Mount } from "./kv";
import { placeOf } from "./places";
import { PutCommand } from "./PutCommand";

interface Props {
  at: Mount;
  name: string;
  /** What the editing began with. */
  base: Fields | null;
  /** Whether the token may not read what it writes over. */
  blind: boolean;
  cas?: number;
  onDone: () => void;
}

/** Changes a secret, and never over what somebody else wrote meanwhile. */
export function Edit({ at, name, base: first, blind, cas: firstCas, onDone }: Props): JSX.Element {
  // Both stay as they were when the editing began, even if the screen loads again.
  const [base, setBase] = useState<Fields>(first ?? {});
  const [cas, setCas] = useState(firstCas);
  const [draft, setDraft] = useState(() => draftOf(first ?? {}));
  const [theirs, setTheirs] = useState<{ values: Fields; version: number } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { values, wrong } = valuesOfDraft(draft);
  const back = placeOf(at.path, name);
  const save = async () => {
    if (!values || busy) return;
    setBusy(true);
    setError(null);
    try {
      if (at.kind !== "kv2" && !blind) {
        // These places have no check-and-set; a look right before is the next best.
        const now = (await content(at, name)).values ?? {};
        if (!isSame(now, base)) return setTheirs({ values: now, version: 0 });
      }
      const version = await put(at, name, values, cas);
      toast(version ? `Written: version ${version}` : `Written: ${name}`);
      onDone();
      go(back, { replace: true });
    } catch (reason) {
      if (isConflict(reason)) setTheirs(await meanwhile(at, name));
      else setError(sentence(reason instanceof Error ? reason.message : String(reason)));
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
      {blind && <Note tone="warn">Your token may write here but not read. What you write replaces all that is there{cas === undefined ? ", without a look at whether somebody else has changed it" : ""}.</Note>}
      {theirs && values && <Conflict base={base} mine={values} theirs={theirs.values} version={theirs.version} onSettle={settle} />}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Card title={at.kind === "kv2" && cas !== undefined ? `Version ${cas + 1}` : "Values"}>
          <div class="stack">
            <Editor draft={draft} onInput={setDraft} />
            {error && <Note tone="bad">{error}</Note>}
            <div class="row end">
              <LinkButton href={`#${back}`}>Cancel</LinkButton>
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

async function meanwhile(at: Mount, name: string): Promise<{ values: Fields; version: number }> {
  const [now, about] = await Promise.all([content(at, name).catch(() => null), metadata(at, name).catch(() => null)]);
  return { values: now?.values ?? {}, version: about?.current ?? now?.version ?? 0 };
}
