import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { go } from "../../shell/router";
import { Button, Command, Dialog, Field, Note, Select, sentence, toast, useLoad } from "../../ui";
import { choices } from "../keys/choices";
import { KNOWN_SPECS, mountFlag, placeOfKey, segmentOf, USAGES, usagesOf, type MasterKey, type Usage } from "./kms";

/** Makes a master key, and gives it a name. */
export function NewKey({ mount, onClose, onPart }: { mount: string; onClose: () => void; onPart: () => void }): JSX.Element {
  const specs = useLoad(() => choices(`/${mount}/keys`, "key_spec", KNOWN_SPECS), [mount]);
  const [spec, setSpec] = useState("SYMMETRIC_DEFAULT");
  const [wantedUsage, setUsage] = useState<Usage>("ENCRYPT_DECRYPT");
  const [origin, setOrigin] = useState("AWS_KMS");
  const [description, setDescription] = useState("");
  const [alias, setAlias] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // A key that was made keeps being made when only its alias was refused.
  const [made, setMade] = useState<string | null>(null);
  const usages = usagesOf(spec);
  const usage = usages.includes(wantedUsage) ? wantedUsage : usages[0]!;
  const name = alias.trim().replace(/^alias\//, "");
  const wrongAlias = wrongOf(name);
  const body = { key_spec: spec, key_usage: usage, ...(origin === "AWS_KMS" ? {} : { origin }), ...(description.trim() ? { description: description.trim() } : {}) };
  const create = async () => {
    if (busy || wrongAlias) return;
    setBusy(true);
    setError(null);
    try {
      const id = made ?? (await write<MasterKey>(`${mount}/keys`, body)).data.key_id;
      if (!made) onPart();
      setMade(id);
      if (name) await write(`${mount}/aliases/${segmentOf(name)}`, { target_key_id: id, create_only: true });
      toast(`Made: ${name ? `alias/${name}` : id}`);
      onClose();
      go(placeOfKey(mount, id));
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
      setBusy(false);
    }
  };
  const flags = [...mountFlag(mount), ...(spec === "SYMMETRIC_DEFAULT" ? [] : [`-spec=${spec}`, `-usage=${usage}`]), ...(origin === "AWS_KMS" ? [] : [`-origin=${origin}`]), ...(description.trim() ? [`-description=${description.trim()}`] : []), ...(name ? [`-alias=alias/${name}`] : [])];
  return (
    <Dialog title="New master key" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label="Alias" mono value={alias} onInput={setAlias} autoFocus placeholder="app" hint="A name that stands for the key and can be given to another one later. May be empty." wrong={wrongAlias} />
        <Field label="Description" value={description} onInput={setDescription} disabled={made !== null} hint="A note, no secret." />
        <Select label="Kind" value={spec} onInput={setSpec} options={specs.data ?? KNOWN_SPECS} disabled={made !== null} hint={spec === "SYMMETRIC_DEFAULT" ? "AES-256-GCM: encrypts and makes data keys." : undefined} />
        <Select label="Use" value={usage} onInput={(to) => setUsage(to as Usage)} options={usages.map((value) => ({ value, label: USAGES[value] }))} disabled={usages.length < 2 || made !== null} />
        <Select
          label="Material"
          value={origin}
          onInput={setOrigin}
          disabled={made !== null}
          options={[
            { value: "AWS_KMS", label: "Made in the server" },
            { value: "EXTERNAL", label: "Imported later, by the command line" },
          ]}
        />
        {made && error && <Note tone="warn">The key is made; what failed is its alias. Take another one, or none.</Note>}
        {error && <Note tone="bad">{error}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy} because={wrongAlias ?? false}>
            {made ? "Go on" : "Create"}
          </Button>
        </div>
        <Command cli={["kms", "create", ...flags]} request={{ method: "POST", path: `${mount}/keys`, body }} />
      </form>
    </Dialog>
  );
}

/** What is wrong with an alias, without `alias/`; null if nothing is. */
export function wrongOf(name: string): string | null {
  if (name === "") return null;
  if (!/^[A-Za-z0-9_/-]+$/.test(name) || name.length > 250) return "Letters, digits, _ - and /, 250 at most.";
  return name.startsWith("aws/") ? "Names that begin with aws/ are reserved." : null;
}
