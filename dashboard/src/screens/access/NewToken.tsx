import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { list, write, type Auth } from "../../api/client";
import { Button, Check, Command, Copy, Dialog, duration, Facts, Field, Note, Secret, Select, sentence, useLoad, warned } from "../../ui";
import { splitNames } from "./names";

interface Wish {
  policies: string[];
  ttl?: string;
  display_name?: string;
  num_uses?: number;
  type?: string;
  renewable?: boolean;
  no_default_policy?: boolean;
}

/** Makes a token, and shows it this once. */
export function NewToken({ onClose }: { onClose: () => void }): JSX.Element {
  const [policies, setPolicies] = useState("");
  const [ttl, setTtl] = useState("1h");
  const [name, setName] = useState("");
  const [uses, setUses] = useState("");
  const [type, setType] = useState("service");
  const [renewable, setRenewable] = useState(true);
  const [orphan, setOrphan] = useState(false);
  const [bare, setBare] = useState(false);
  const [made, setMade] = useState<Auth | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  // What was refused is no longer what stands there.
  useEffect(() => setWrong(null), [policies, ttl, name, uses, type]);
  const known = useLoad((signal) => list("sys/policies/acl", { signal }).catch(() => []), []);
  const body: Wish = {
    policies: splitNames(policies),
    ...(ttl.trim() ? { ttl: ttl.trim() } : {}),
    ...(name.trim() ? { display_name: name.trim() } : {}),
    ...(Number(uses) > 0 ? { num_uses: Number(uses) } : {}),
    ...(type === "batch" ? { type } : { renewable }),
    ...(bare ? { no_default_policy: true } : {}),
  };
  const path = orphan ? "auth/token/create-orphan" : "auth/token/create";
  const create = async () => {
    if (busy) return;
    setBusy(true);
    setWrong(null);
    try {
      const answer = await write(path, body);
      warned(answer.warnings);
      if (!answer.auth) throw new Error("the server gave no token");
      setMade(answer.auth);
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    } finally {
      setBusy(false);
    }
  };
  if (made) return <Made auth={made} onClose={onClose} />;
  return (
    <Dialog title="New token" onClose={onClose} large>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label="Policies" mono value={policies} onInput={setPolicies} choices={known.data?.filter((one) => one !== "root")} autoFocus hint="Separated by commas. Empty: those of your own token." />
        <div class="halves">
          <Field label="Lives for" mono value={ttl} onInput={setTtl} hint="Like 30m, 1h or 7d. Empty: the server's default." />
          <Field label="Name for people" value={name} onInput={setName} hint="Stands in the audit log." />
        </div>
        <div class="halves">
          <Select label="Kind" value={type} onInput={setType} options={[{ value: "service", label: "service: kept, renewable, revocable" }, { value: "batch", label: "batch: light, not kept, can not be revoked" }]} />
          <Field label="Uses" type="number" min={0} value={uses} onInput={setUses} hint="Empty: as many as there are." />
        </div>
        <div class="stack tight">
          {type === "service" && <Check label="It can be renewed" checked={renewable} onInput={setRenewable} />}
          <Check label="It outlives your own token" checked={orphan} onInput={setOrphan} hint="(an orphan)" />
          <Check label="Leave the policy default out" checked={bare} onInput={setBare} />
        </div>
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Create
          </Button>
        </div>
        <Command cli={["token", "create", ...flagsOf(body), ...(orphan ? ["-orphan"] : [])]} request={{ method: "POST", path, body }} />
      </form>
    </Dialog>
  );
}

/** The flags of `coffer token create` for the same. */
const flagsOf = ({ policies, ttl, display_name, num_uses, type, renewable, no_default_policy }: Wish): string[] => [
  ...policies.map((one) => `-policy=${one}`),
  ...(ttl ? [`-ttl=${ttl}`] : []),
  ...(display_name ? [`-display-name=${display_name}`] : []),
  ...(num_uses ? [`-use-limit=${num_uses}`] : []),
  ...(type ? [`-type=${type}`] : []),
  ...(renewable === false ? ["-renewable=false"] : []),
  ...(no_default_policy ? ["-no-default-policy"] : []),
];

function Made({ auth, onClose }: { auth: Auth; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="The new token" onClose={onClose} stays large>
      <div class="stack">
        <Note tone="warn">It is shown this once. Copy it to where it is used; you need not look at it.</Note>
        <Facts
          facts={[
            ["Token", <Secret value={auth.client_token} label="the new token" />],
            ["Accessor", auth.accessor ? <span class="row"><code>{auth.accessor}</code><Copy text={auth.accessor} label="Copy the accessor" /></span> : "none (a batch token)"],
            ["Policies", auth.policies.join(", ")],
            ["Lives for", auth.lease_duration ? duration(auth.lease_duration) : "ever"],
          ]}
        />
        <div class="actions">
          <Copy text={auth.client_token} label="Copy the token" words="Copy the token" />
          <Button kind="primary" onClick={onClose}>
            I have it
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
