import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { Button, Check, Command, Dialog, Field, Note, Select, sentence, toast, warned } from "../../ui";
import { exact } from "../../ui/exact";
import type { Quota, QuotaKind } from "./Quotas";

/** Makes or changes a quota. */
export function QuotaDialog({ quota, onClose, onDone }: { quota: Quota | null; onClose: () => void; onDone: () => void }): JSX.Element {
  const [kind, setKind] = useState<QuotaKind>(quota?.kind ?? "rate-limit");
  const [name, setName] = useState(quota?.name ?? "");
  const [path, setPath] = useState(quota?.path ?? "");
  const [role, setRole] = useState(quota?.role ?? "");
  const [most, setMost] = useState(String(quota?.rate ?? quota?.max_leases ?? quota?.max_tokens ?? 100));
  const [interval, setInterval] = useState(quota?.interval ? exact(quota.interval) : "1s");
  const [block, setBlock] = useState(quota?.block_interval ? exact(quota.block_interval) : "");
  const [below, setBelow] = useState(quota?.inheritable ?? false);
  const [wrong, setWrong] = useState<string | null>(null);
  const target = `sys/quotas/${kind}/${name.trim() || "NAME"}`;
  const body = {
    path: path.trim(),
    ...(role.trim() ? { role: role.trim() } : {}),
    ...(path.trim() ? { inheritable: below } : {}),
    ...(kind === "rate-limit" ? { rate: Number(most), interval: interval.trim() || "1s", ...(block.trim() ? { block_interval: block.trim() } : {}) } : kind === "lease-count" ? { max_leases: Number(most) } : { max_tokens: Number(most) }),
  };
  const everything = kind === "rate-limit" && !path.trim();
  const save = async () => {
    setWrong(null);
    try {
      warned((await write(target, body)).warnings);
      toast(`The quota ${name.trim()} holds from now on`);
      onDone();
      onClose();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Dialog title={quota ? `Quota ${quota.name}` : "New quota"} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {!quota && (
          <>
            <Select
              label="Of"
              value={kind}
              onInput={(value) => setKind(value as QuotaKind)}
              options={[
                { value: "rate-limit", label: "requests: a rate for each client" },
                { value: "lease-count", label: "leases: how many there may be" },
                { value: "token-count", label: "tokens: how many there may be" },
              ]}
              autoFocus
            />
            <Field label="Name" mono required value={name} onInput={setName} />
          </>
        )}
        <Field label="Path" mono value={path} onInput={setPath} placeholder="everything" hint="A mount (database/), a namespace (team/), a path below a mount, with * at the end for all that begin so." />
        <div class="halves">
          <Field label={kind === "rate-limit" ? "Requests" : "At most"} type="number" min={kind === "rate-limit" ? 0 : 1} step={kind === "rate-limit" ? "any" : 1} required value={most} onInput={setMost} />
          {kind === "rate-limit" && <Field label="In" mono value={interval} onInput={setInterval} hint="Like 1s or 1m." />}
        </div>
        {kind === "rate-limit" && <Field label="Who asks more is refused for" mono value={block} onInput={setBlock} placeholder="the rest of the interval" />}
        {kind !== "token-count" && <Field label="Role" mono value={role} onInput={setRole} hint="Only logins by this role of the auth method at the path." />}
        {path.trim() && <Check label="Namespaces within have it too, where they have none" checked={below} onInput={setBelow} />}
        {everything && <Note tone="warn">It holds for everybody, this page as well: the page asks several times in ten seconds. Unsealing and the server's health are always answered.</Note>}
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!name.trim() || !(Number(most) > 0)}>
            Save
          </Button>
        </div>
        <Command cli={["write", target, ...Object.entries(body).map(([word, value]) => `${word}=${value}`)]} request={{ method: "POST", path: target, body }} />
      </form>
    </Dialog>
  );
}
