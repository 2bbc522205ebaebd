import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../../api/client";
import { Button, Check, Command, Dialog, Field, Note, Select, sentence, toast, useLoad, warned } from "../../../ui";
import type { MountKind } from "./kinds";

/** What can be mounted where nobody may ask the server. */
const KNOWN = { secret: ["kv", "database", "transit", "kms"], auth: ["userpass", "approle", "jwt", "oidc", "kubernetes", "ldap", "cert", "aws", "gcp"] };

/** Mounts something new. */
export function Enable({ kind, onClose, onDone }: { kind: MountKind; onClose: () => void; onDone: () => void }): JSX.Element {
  const types = useLoad(async (signal) => (await read<Record<string, string[]>>("sys/plugins/catalog", { signal, namespace: "" })).data[kind.catalog] ?? [], []);
  const known = types.data ?? KNOWN[kind.catalog];
  const [type, setType] = useState(KNOWN[kind.catalog][0]!);
  const [at, setAt] = useState("");
  const [description, setDescription] = useState("");
  const [lease, setLease] = useState("");
  const [longest, setLongest] = useState("");
  const [versioned, setVersioned] = useState(true);
  const [listed, setListed] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const where = at.trim().replace(/^\/+|\/+$/g, "") || type;
  const config = {
    ...(lease.trim() ? { default_lease_ttl: lease.trim() } : {}),
    ...(longest.trim() ? { max_lease_ttl: longest.trim() } : {}),
    ...(listed ? { listing_visibility: "unauth" } : {}),
  };
  const body = { type, ...(description ? { description } : {}), ...(Object.keys(config).length ? { config } : {}), ...(type === "kv" ? { options: { version: versioned ? "2" : "1" } } : {}) };
  const enable = async () => {
    if (busy) return;
    setBusy(true);
    setWrong(null);
    try {
      warned((await write(`${kind.base}/${where}`, body)).warnings);
      toast(`${type} is mounted at ${where}/`);
      onDone();
      onClose();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
      setBusy(false);
    }
  };
  const flags = [...(where === type ? [] : [`-path=${where}`]), ...(type === "kv" ? [`-version=${versioned ? 2 : 1}`] : []), ...(description ? [`-description=${description}`] : [])];
  return (
    <Dialog title={`Enable ${kind.catalog === "auth" ? "an" : "a"} ${kind.one}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void enable();
        }}
      >
        <Select label="Type" value={type} onInput={setType} options={known} autoFocus />
        <Field label="Path" mono value={at} onInput={setAt} placeholder={type} hint={`It will be at ${kind.prefix}${where}/.`} />
        <Field label="Description" value={description} onInput={setDescription} />
        <div class="halves">
          <Field label="Leases by default" mono value={lease} onInput={setLease} placeholder="the server's" hint="Like 1h or 30d." />
          <Field label="Leases at most" mono value={longest} onInput={setLongest} placeholder="the server's" />
        </div>
        {type === "kv" && <Check label="Keep versions" checked={versioned} onInput={setVersioned} hint="(KV version 2)" />}
        {kind.catalog === "auth" && <Check label="Show it to everybody on the sign-in page" checked={listed} onInput={setListed} />}
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Enable
          </Button>
        </div>
        <Command cli={[kind.cli, "enable", ...flags, type]} request={{ method: "POST", path: `${kind.base}/${where}`, body }} />
      </form>
    </Dialog>
  );
}
