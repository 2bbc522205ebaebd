import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { remove, write } from "../../api/client";
import { go } from "../../shell/router";
import { Button, Card, Check, Command, Confirm, Empty, Facts, Field, Note, operands, sentence, toast, Trouble, when, type Loaded } from "../../ui";
import { Loading } from "../../ui/Loading";
import { useUnsaved } from "../../ui/useUnsaved";
import { print, sorted } from "../../api/json";
import { metadataPath, type Metadata, type Mount } from "./kv";
import { missing, useMay } from "../../session/may";
import { placeOf } from "./places";
import { Rows, rowsOf, valuesOf } from "./Rows";

/** A secret's settings and notes, and its end. */
export function Settings({ at, name, known, onChange }: { at: Mount; name: string; known: Loaded<Metadata | null>; onChange: () => void }): JSX.Element {
  const path = metadataPath(at, name);
  const may = useMay([path]);
  if (known.loading || !may) return <Loading />;
  if (known.error && !known.data) return <Trouble error={known.error} what="the settings" onRetry={known.reload} />;
  if (!known.data) return <Empty icon="secrets" title="The settings can not be shown" text={missing(may, path, "read") || "There is no such secret."} />;
  // What somebody else wrote is shown as soon as it is read.
  return <Form key={known.data.written} at={at} name={name} data={known.data} onSaved={onChange} because={missing(may, path, "update", "create")} keep={missing(may, path, "delete")} />;
}

function Form({ at, name, data, onSaved, because, keep }: { at: Mount; name: string; data: Metadata; onSaved: () => void; because: string | false; keep: string | false }): JSX.Element {
  const path = metadataPath(at, name);
  const [most, setMost] = useState(String(data.maxVersions));
  const [cas, setCas] = useState(data.casRequired);
  const [after, setAfter] = useState(data.deleteAfter);
  const [notes, setNotes] = useState(() => rowsOf(data.custom, true));
  const [error, setError] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const { values, wrong, at: wrongAt } = valuesOf(notes);
  const form = print([most, cas, after, values ? sorted(values) : notes]);
  const [saved, setSaved] = useState(form);
  const guard = useUnsaved(form !== saved);
  // Where the server counts how often settings were written, nobody's are written over unseen.
  const check = data.written === undefined ? {} : { metadata_cas: data.written };
  const body = { max_versions: Number(most), cas_required: cas, delete_version_after: after || "0s", custom_metadata: values ?? {} };
  const save = async () => {
    try {
      setError(null);
      await write(path, { ...body, ...check });
      setSaved(form);
      toast("The settings are saved");
      onSaved();
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  const end = async () => {
    await remove(path);
    toast(`Deleted for good: ${name}`);
    // No way leads back here, and nobody is asked about settings of what is gone.
    go(placeOf(at.path, name.slice(0, name.lastIndexOf("/") + 1)), { replace: true });
  };
  return (
    <>
      {guard}
      <Card title="Settings">
        <div class="stack">
          <Facts facts={[["Made", when(data.created)], ["Last written", when(data.updated)], ["Versions", `${data.versions.length} kept, the latest is ${data.current}`]]} />
          <div class="grid">
            <Field label="Versions to keep" type="number" min={0} value={most} onInput={setMost} hint="0: as many as the mount says, else 10" />
            <Field label="Versions delete themselves after" value={after} onInput={setAfter} mono hint="A duration as 30m or 720h; 0s for never. New versions only." />
          </div>
          <Check label="Writing needs check-and-set" hint="who writes has to say which version was the latest" checked={cas} onInput={setCas} />
          <fieldset class="stack tight">
            <legend>Notes (custom metadata; not secret)</legend>
            <Rows rows={notes} wrongAt={wrongAt} onInput={setNotes} plain />
          </fieldset>
          {error && (
            <Note tone="bad">
              {error}{" "}
              {/check-and-set/.test(error) && (
                <button type="button" class="link" onClick={onSaved}>
                  Load what is there now
                </button>
              )}
            </Note>
          )}
          <div class="row end">
            <Button kind="primary" because={because || wrong || (!/^\d+$/.test(most) && "The number of versions has to be a number")} onClick={save}>
              Save settings
            </Button>
          </div>
        </div>
      </Card>
      <Card title="Delete everything">
        <div class="row apart">
          <span class="muted">All versions, values and settings, for good.</span>
          <Button kind="danger" icon="trash" because={keep} onClick={() => setRemoving(true)}>
            Delete for good
          </Button>
        </div>
      </Card>
      {removing && (
        <Confirm title={`Delete ${name} for good?`} verb="Delete for good" danger typed={name.length < 40 ? name : "delete"} onClose={() => setRemoving(false)} onConfirm={end}>
          All versions and settings are gone then. Nobody can bring them back.
        </Confirm>
      )}
      <Command cli={["kv", "metadata", "put", `-mount=${at.path}`, `-max-versions=${body.max_versions}`, `-cas-required=${cas}`, `-delete-version-after=${body.delete_version_after}`, ...Object.entries(body.custom_metadata).map(([key, value]) => `-custom-metadata=${key}=${String(value)}`), ...operands(name)]} request={{ method: "POST", path, body: { ...body, ...check } }} />
    </>
  );
}
