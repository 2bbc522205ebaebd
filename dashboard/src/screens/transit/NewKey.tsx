import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { missing, useMay } from "../../session/may";
import { go } from "../../shell/router";
import { Button, Check, Command, Dialog, Field, Note, operands, Select, sentence, toast, useLoad, warned } from "../../ui";
import { useSettled } from "../../ui/useSettled";
import { choices } from "../keys/choices";
import { canDerive, hasAssociatedData, KNOWN_TYPES, mountFlag, placeOfKey } from "./transit";

const FIRST = { name: "", type: "aes256-gcm96", derived: false, convergent: false, exportable: false, backup: false, period: "", size: "32" };
const NAME = /^\w([\w.-]*\w)?$/;

/** Makes a key. */
export function NewKey({ mount, onClose }: { mount: string; onClose: () => void }): JSX.Element {
  const types = useLoad(() => choices(`/${mount}/keys/{name}`, "type", KNOWN_TYPES), [mount]);
  const [form, setForm] = useState(FIRST);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<typeof FIRST>) => setForm({ ...form, ...part });
  const name = form.name.trim();
  const wrongName = name !== "" && !NAME.test(name) ? "Letters, digits, and . _ - between them." : null;
  const target = `${mount}/keys/${useSettled(name)}`;
  const may = useMay([target]);
  const denied = name !== "" && target === `${mount}/keys/${name}` && may ? missing(may, target, "create", "update") : false;
  const derives = canDerive(form.type) && form.derived;
  const body = {
    type: form.type,
    ...(derives ? { derived: true } : {}),
    ...(derives && form.convergent && hasAssociatedData(form.type) ? { convergent_encryption: true } : {}),
    ...(form.exportable ? { exportable: true } : {}),
    ...(form.backup ? { allow_plaintext_backup: true } : {}),
    ...(form.period.trim() ? { auto_rotate_period: form.period.trim() } : {}),
    ...(form.type === "hmac" ? { key_size: Number(form.size) } : {}),
  };
  const create = async () => {
    if (!name || wrongName || busy) return;
    setBusy(true);
    setError(null);
    try {
      // Making a key that is there changes nothing and says nothing.
      const there = await read(`${mount}/keys/${name}`).catch(() => null);
      if (there) throw new Error(`There is a key ${name} already.`);
      warned((await write(`${mount}/keys/${name}`, body)).warnings);
      toast(`Made: ${name}`);
      onClose();
      go(placeOfKey(mount, name));
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
      setBusy(false);
    }
  };
  const flags = [...mountFlag(mount), `-type=${form.type}`, ...(derives ? ["-derived"] : []), ...("convergent_encryption" in body ? ["-convergent"] : []), ...(form.exportable ? ["-exportable"] : []), ...(form.backup ? ["-allow-plaintext-backup"] : []), ...(form.period.trim() ? [`-auto-rotate-period=${form.period.trim()}`] : []), ...(form.type === "hmac" ? [`-key-size=${form.size}`] : [])];
  return (
    <Dialog title="New key" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label="Name" mono value={form.name} onInput={(value) => change({ name: value })} autoFocus wrong={wrongName ?? denied} />
        <Select label="Type" value={form.type} onInput={(type) => change({ type })} options={types.data ?? KNOWN_TYPES} hint={about(form.type)} />
        {form.type === "hmac" && <Field label="Length in bytes" type="number" min={32} max={512} value={form.size} onInput={(size) => change({ size })} />}
        <Field label="Rotate by itself every" mono value={form.period} onInput={(period) => change({ period })} placeholder="never" hint="Like 720h or 30d; an hour at least." />
        {canDerive(form.type) && <Check label="Derived" hint="a key of its own for each context" checked={form.derived} onInput={(derived) => change({ derived })} />}
        {derives && hasAssociatedData(form.type) && <Check label="Convergent" hint="equal texts become equal ciphertexts: they can be searched for, and show who has the same" checked={form.convergent} onInput={(convergent) => change({ convergent })} />}
        <Check label="Exportable" hint="the key may leave the server; can not be taken back" checked={form.exportable} onInput={(exportable) => change({ exportable })} />
        <Check label="Allow backups in plaintext" hint="can not be taken back" checked={form.backup} onInput={(backup) => change({ backup })} />
        {error && <Note tone="bad">{error}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy} disabled={!name} because={wrongName || denied}>
            Create
          </Button>
        </div>
        <Command cli={["transit", "keys", "create", ...flags, ...operands(name || "NAME")]} request={{ method: "POST", path: `${mount}/keys/${name || "NAME"}`, body }} />
      </form>
    </Dialog>
  );
}

function about(type: string): string {
  if (hasAssociatedData(type)) return "Encrypts, and makes HMACs.";
  if (type.startsWith("rsa")) return "Encrypts, signs, and makes HMACs.";
  return type === "hmac" ? "Makes HMACs." : "Signs, and makes HMACs.";
}
