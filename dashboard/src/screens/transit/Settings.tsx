import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { remove, write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { go } from "../../shell/router";
import { Button, Card, Check, Command, Confirm, Field, Note, operands, sentence, toast, warned } from "../../ui";
import { exact } from "../../ui/exact";
import { useUnsaved } from "../../ui/useUnsaved";
import { Ends } from "./Ends";
import { mountFlag, placeOfMount, type Key } from "./transit";

/** What may be done with a key, and its end. */
export function Settings({ mount, at, may, onChange }: { mount: string; at: Key; may: May; onChange: () => void }): JSX.Element {
  const path = `${mount}/keys/${at.name}/config`;
  const first = { decrypt: String(at.minDecryption), encrypt: String(at.minEncryption), period: at.autoRotate ? exact(at.autoRotate) : "", exportable: at.exportable, backup: at.plaintextBackup, deletable: at.deletionAllowed };
  const [form, setForm] = useState(first);
  const [error, setError] = useState<string | null>(null);
  const [asked, setAsked] = useState(false);
  const [gone, setGone] = useState(false);
  const denied = missing(may, path, "update");
  const unsaved = !gone && JSON.stringify(form) !== JSON.stringify(first);
  const guard = useUnsaved(unsaved);
  const change = (part: Partial<typeof first>) => setForm({ ...form, ...part });
  const body = {
    ...(form.decrypt === first.decrypt ? {} : { min_decryption_version: Number(form.decrypt) }),
    ...(form.encrypt === first.encrypt ? {} : { min_encryption_version: Number(form.encrypt) }),
    ...(form.period === first.period ? {} : { auto_rotate_period: form.period.trim() || "0" }),
    ...(form.exportable === first.exportable ? {} : { exportable: form.exportable }),
    ...(form.backup === first.backup ? {} : { allow_plaintext_backup: form.backup }),
    ...(form.deletable === first.deletable ? {} : { deletion_allowed: form.deletable }),
  };
  const wrong = ![form.decrypt, form.encrypt].every((text) => /^\d+$/.test(text)) && "Versions are numbers";
  // What can not be taken back is asked about.
  const final = (form.exportable && !first.exportable) || (form.backup && !first.backup);
  const save = async () => {
    warned((await write(path, body)).warnings);
    toast("The settings are saved");
    onChange();
  };
  const submit = async () => {
    if (denied || wrong || !unsaved) return;
    setError(null);
    if (final) return setAsked(true);
    await save().catch((reason) => setError(sentence(reason instanceof Error ? reason.message : String(reason))));
  };
  const flags = Object.entries(body).map(([name, value]) => `-${name.replaceAll("_", "-")}=${String(value)}`);
  const off = Boolean(denied);
  return (
    <>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Card
          title="Settings"
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
              <Field label="Least version that decrypts" type="number" min={1} max={at.latest} value={form.decrypt} onInput={(decrypt) => change({ decrypt })} disabled={off} hint="What older ones made is refused." />
              <Field label="Least version that encrypts" type="number" min={0} max={at.latest} value={form.encrypt} onInput={(encrypt) => change({ encrypt })} disabled={off} hint="Where a client asks for one. 0: any." />
              <Field label="Rotate by itself every" mono value={form.period} placeholder="never" onInput={(period) => change({ period })} disabled={off} hint="Like 720h or 30d; an hour at least." />
            </div>
            <Check label="Exportable" hint="the key may leave the server; can not be taken back" checked={form.exportable} onInput={(exportable) => change({ exportable })} disabled={off || first.exportable} />
            <Check label="Allow backups in plaintext" hint="can not be taken back" checked={form.backup} onInput={(backup) => change({ backup })} disabled={off || first.backup} />
            <Check label="The key may be deleted" hint="all that it encrypted is lost then" checked={form.deletable} onInput={(deletable) => change({ deletable })} disabled={off} />
            {error && <Note tone="bad">{error}</Note>}
          </div>
        </Card>
      </form>
      <Command cli={["transit", "keys", "config", ...mountFlag(mount), ...(flags.length ? flags : [`-min-decryption-version=${form.decrypt}`]), ...operands(at.name)]} request={{ method: "POST", path, body: flags.length ? body : { min_decryption_version: Number(form.decrypt) } }} />
      <Ends
        mount={mount}
        at={at}
        may={may}
        onChange={onChange}
        onDelete={async () => {
          await remove(`${mount}/keys/${at.name}`);
          setGone(true);
          toast(`Deleted: ${at.name}`);
          setTimeout(() => go(placeOfMount(mount)), 0);
        }}
      />
      {guard}
      {asked && (
        <Confirm title="Save what can not be taken back?" verb="Save" danger onClose={() => setAsked(false)} onConfirm={save}>
          Once a key is exportable, or may be backed up in plaintext, it stays so for ever.
        </Confirm>
      )}
    </>
  );
}
