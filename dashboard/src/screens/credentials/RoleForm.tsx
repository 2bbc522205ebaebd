import "./credentials.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, write } from "../../api/client";
import { go } from "../../shell/router";
import { Button, Card, Command, Field, Icon, Loading, Note, operands, Page, Select, sentence, toast, Trouble, useLoad } from "../../ui";
import { exact } from "../../ui/exact";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import type { ScreenProps } from "../types";
import { asText, roleOf, type Role } from "./database";
import { part, roleAt } from "./places";

const EXAMPLE = `CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";`;

/** Creates a role, or changes one. */
export default function RoleForm({ params, query }: ScreenProps): JSX.Element {
  const engine = query.get("engine") ?? "";
  const name = params.name ?? null;
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [role, connections] = await Promise.all([name === null ? null : roleOf(engine, name, { signal }), list(`${engine}/config`, { signal }).catch(() => null)]);
      return { role, connections };
    },
    [engine, name],
  );
  return (
    <Page title={name === null ? "New role" : `Edit ${name}`} crumbs={[{ title: "Roles", path: part("roles", engine) }, ...(name === null ? [] : [{ title: name, path: roleAt(engine, name) }])]} lead={`Which users ${engine}/ makes, and for how long.`}>
      {error && !data ? <Trouble error={error} what="this role" onRetry={reload} /> : !data ? <Loading /> : <Form engine={engine} name={name} role={data.role} connections={data.connections} />}
    </Page>
  );
}

interface Written {
  db: string;
  creation: string;
  revocation: string;
  renew: string;
  lives: string;
  most: string;
}

function Form({ engine, name: fixed, role, connections }: { engine: string; name: string | null; role: Role | null; connections: string[] | null }): JSX.Element {
  const first = role ? writtenOf(role) : { db: connections?.[0] ?? "", creation: EXAMPLE, revocation: "", renew: "", lives: "1h", most: "24h" };
  const [form, setForm] = useState<Written>(first);
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const name = fixed ?? typed.trim();
  const path = `${engine}/roles/${name || "NAME"}`;
  const denied = useDenied(path, fixed === null ? "create" : "update");
  const body = bodyOf(form, role && first);
  const unsaved = !saved && (fixed === null ? typed !== "" || form.creation !== EXAMPLE : Object.keys(body).length > 0);
  const guard = useUnsaved(unsaved);
  const set = (part: Partial<Written>) => setForm({ ...form, ...part });
  const save = async () => {
    setWrong(null);
    try {
      await write(path, body);
      setSaved(true);
      toast(fixed === null ? `The role ${name} is created` : `The role ${name} is saved`);
      setTimeout(() => go(roleAt(engine, name)), 0);
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <Card
        foot={
          <div class="row apart">
            <span class="muted small">{denied}</span>
            <Button type="submit" kind="primary" because={denied} disabled={!name || !form.db || !form.creation.trim() || (fixed !== null && !unsaved)} onClick={save}>
              {fixed === null ? "Create" : "Save"}
            </Button>
          </div>
        }
      >
        <div class="stack">
          <div class="halves">
            {fixed === null && <Field label="Name" value={typed} onInput={setTyped} mono autoFocus wrong={typed.includes("/") && "A role's name has no slash."} />}
            {connections && connections.length > 0 ? (
              <Select label="Connection" value={form.db} onInput={(db) => set({ db })} options={connections.includes(form.db) ? connections : [form.db, ...connections]} />
            ) : (
              <Field label="Connection" value={form.db} onInput={(db) => set({ db })} mono hint={connections ? `None is configured yet: write ${engine}/config/NAME first.` : "Your token may not list them; type the name of one."} />
            )}
          </div>
          <div class="halves">
            <Field label="Lives" mono value={form.lives} onInput={(lives) => set({ lives })} hint="Like 90s, 1h or 7d. 0 for what the mount says." />
            <Field label="At most, renewals included" mono value={form.most} onInput={(most) => set({ most })} />
          </div>
          <Field label="Statements that make a user" type="textarea" mono rows={6} value={form.creation} onInput={(creation) => set({ creation })} hint="With {{name}}, {{password}} and {{expiration}}. They run in one transaction. Keep VALID UNTIL, so that the database itself refuses the login in the moment in which the lease ends." />
          <details class="command" open={Boolean(form.revocation || form.renew)}>
            <summary>
              <Icon name="chevron" class="chevron" size={12} />
              Statements for removing and extending a user
            </summary>
            <div class="stack">
              <Field label="Statements that remove a user" type="textarea" mono rows={3} value={form.revocation} onInput={(revocation) => set({ revocation })} hint="Better none: then the login is forbidden, sessions are ended, and what the user owns is handed over before it is dropped." />
              <Field label="Statements that extend a user" type="textarea" mono rows={2} value={form.renew} onInput={(renew) => set({ renew })} hint="None moves VALID UNTIL." />
            </div>
          </details>
          {wrong && <Note tone="bad">{wrong}</Note>}
          <Same path={path} body={body} />
          {guard}
        </div>
      </Card>
    </form>
  );
}

/** The same by the command line. Where nothing was changed there is nothing to write. */
function Same({ path, body }: { path: string; body: Record<string, string> }): JSX.Element {
  const words = Object.entries(body).map(([key, value]) => `${key}=${value}`);
  if (words.length === 0) return <Command cli={["read", ...operands(path)]} request={{ method: "GET", path }} />;
  return <Command cli={["write", ...operands(path, ...words)]} request={{ method: "POST", path, body }} />;
}

const writtenOf = (role: Role): Written => ({
  db: role.db_name,
  creation: asText(role.creation_statements),
  revocation: asText(role.revocation_statements),
  renew: asText(role.renew_statements),
  lives: exact(role.default_ttl),
  most: exact(role.max_ttl),
});

/** What is to be written: of a role that exists only what was changed. */
function bodyOf(form: Written, before: Written | null): Record<string, string> {
  const names: [string, keyof Written][] = [
    ["db_name", "db"],
    ["creation_statements", "creation"],
    ["revocation_statements", "revocation"],
    ["renew_statements", "renew"],
    ["default_ttl", "lives"],
    ["max_ttl", "most"],
  ];
  return Object.fromEntries(names.flatMap(([name, field]) => (form[field] === (before?.[field] ?? "") ? [] : [[name, form[field].trim()]])));
}
