import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import { Button, Card, Check, Command, Field, Loading, Note, Page, sentence, toast, Trouble, useLoad, warned } from "../../ui";
import type { Mount } from "./kv";
import { crumbs, placeOf } from "./places";

interface Config {
  max_versions: number;
  cas_required: boolean;
  metadata_cas_required?: boolean;
  delete_version_after: string;
}

/** What holds for all secrets of a mount with versions, where a secret says nothing else. */
export function MountSettings({ at }: { at: Mount }): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await read<Config>(`${at.path}/config`, { signal })).data, [at.path]);
  return (
    <Page title="Settings of the mount" crumbs={[...crumbs(at.path, ""), { title: at.path, path: placeOf(at.path, "") }]} lead="They hold for every secret whose own settings say nothing else.">
      {error && !data ? <Trouble error={error} what="the settings of this mount" onRetry={reload} /> : !data ? <Loading /> : <Form key={JSON.stringify(data)} at={at} data={data} onSaved={reload} />}
    </Page>
  );
}

function Form({ at, data, onSaved }: { at: Mount; data: Config; onSaved: () => void }): JSX.Element {
  const path = `${at.path}/config`;
  const first = { most: String(data.max_versions), after: data.delete_version_after, cas: data.cas_required, notes: Boolean(data.metadata_cas_required) };
  const [form, setForm] = useState(first);
  const [error, setError] = useState<string | null>(null);
  const denied = useDenied(path, "update");
  const unsaved = JSON.stringify(form) !== JSON.stringify(first);
  const guard = useUnsaved(unsaved);
  const change = (part: Partial<typeof first>) => setForm({ ...form, ...part });
  const body = {
    ...(form.most === first.most ? {} : { max_versions: Number(form.most) }),
    ...(form.after === first.after ? {} : { delete_version_after: form.after.trim() || "0s" }),
    ...(form.cas === first.cas ? {} : { cas_required: form.cas }),
    ...(form.notes === first.notes ? {} : { metadata_cas_required: form.notes }),
  };
  const wrong = !/^\d+$/.test(form.most) && "A number is needed; 0 for ten.";
  const save = async () => {
    if (wrong || !unsaved) return;
    setError(null);
    try {
      warned((await write(path, body)).warnings);
      toast("The settings are saved");
      onSaved();
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Card
          title="For all secrets"
          foot={
            <div class="row apart">
              <span class="muted small">{denied}</span>
              <Button type="submit" kind="primary" because={denied || wrong} disabled={!unsaved}>
                Save
              </Button>
            </div>
          }
        >
          <div class="stack">
            <div class="grid">
              <Field label="Versions to keep" type="number" min={0} value={form.most} onInput={(most) => change({ most })} disabled={Boolean(denied)} hint="Of each secret; older ones go with the next write. 0: ten" wrong={wrong} />
              <Field label="Versions delete themselves after" mono value={form.after} onInput={(after) => change({ after })} disabled={Boolean(denied)} hint="Like 30m or 720h; 0s for never. New versions only." />
            </div>
            <Check label="Writing needs check-and-set" hint="who writes has to say which version was the latest" checked={form.cas} onInput={(cas) => change({ cas })} disabled={Boolean(denied)} />
            {data.metadata_cas_required !== undefined && <Check label="Changing settings and notes of a secret needs it, too" checked={form.notes} onInput={(notes) => change({ notes })} disabled={Boolean(denied)} />}
            {error && <Note tone="bad">{error}</Note>}
          </div>
        </Card>
        {guard}
      </form>
      <Command cli={["write", path, ...Object.entries(unsaved ? body : { max_versions: data.max_versions }).map(([name, value]) => `${name}=${String(value)}`)]} request={{ method: "POST", path, body: unsaved ? body : { max_versions: data.max_versions } }} />
    </>
  );
}
