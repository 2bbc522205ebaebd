import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { list } from "../../api/client";
import { capabilities, useCan } from "../../session";
import { grants } from "../../session/capabilities";
import { href } from "../../shell/router";
import { Button, Card, Command, duration, Empty, Field, LinkButton, Loading, Select, Trouble, useLoad, useSettled } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { CARDS_MAX, isFull, issue } from "./cards";
import { roleOf, type Role } from "./database";
import { leasesAt, roleForm } from "./places";

const CHOICES_MAX = 500;

/** Issues a credential: a role, a button. */
export function Issue({ engine, role: first, picker }: { engine: string; role: string; picker: ComponentChildren }): JSX.Element {
  const [typed, setTyped] = useState(first);
  const listable = useCan(`${engine}/roles`, "list");
  const { data: names, error, reload } = useLoad(async (signal) => (listable ? await list(`${engine}/roles`, { signal }) : null), [engine, listable]);
  const role = typed || names?.[0] || "";
  const path = `${engine}/creds/${role || "ROLE"}`;
  return (
    <Card title="Issue a credential" foot={<Command cli={["read", path]} request={{ method: "GET", path }} />}>
      <div class="cred-issue">
        {picker}
        {error && !names ? (
          <Trouble error={error} what="the roles" onRetry={reload} />
        ) : listable === undefined || (listable && !names) ? (
          <Loading lines={2} />
        ) : names?.length === 0 ? (
          <NoRole engine={engine} />
        ) : (
          <>
            <Which names={names ?? null} role={role} typed={typed} onInput={setTyped} />
            <Chosen engine={engine} role={role} />
          </>
        )}
      </div>
    </Card>
  );
}

function Which({ names, role, typed, onInput }: { names: string[] | null; role: string; typed: string; onInput: (role: string) => void }): JSX.Element {
  return names && names.length <= CHOICES_MAX ? (
    <Select label="Role" value={role} onInput={onInput} options={names.includes(role) ? names : [role, ...names]} />
  ) : (
    <Field label="Role" value={typed} onInput={onInput} mono hint={names ? "There are too many to choose from; type its name." : "Your token may not list the roles; type the name of one."} />
  );
}

/** What a role gives, and the button. A token may issue of a role that it may not read. */
function Chosen({ engine, role: now }: { engine: string; role: string }): JSX.Element {
  const role = useSettled(now);
  const { data } = useLoad(async (signal) => ({ role, about: await readable(engine, role, signal) }), [engine, role]);
  // What is known of another role does not count.
  const known = data?.role === now ? data : undefined;
  const [connection, setConnection] = useState("");
  const denied = useDenied(`${engine}/creds/${role}`, "read");
  const full = isFull() && `${CARDS_MAX} credentials of this page are alive; revoke one or put one away first`;
  return (
    <>
      {known && !known.about && role && <Field label="Connection" value={connection} onInput={setConnection} mono hint="The role can not be read. Only for verifying: the name of its database." />}
      <div class="cred-go">
        <Button kind="primary" icon="plus" disabled={!role || !known} because={role !== "" && (denied || full)} onClick={() => issue(engine, role, known?.about?.db_name ?? connection.trim())}>
          Issue a credential
        </Button>
        {role && (
          <a class="small" href={href(leasesAt(`${engine}/creds/${role}/`))}>
            Live leases of this role
          </a>
        )}
      </div>
      <p class="muted small cred-words" aria-live="polite">
        {known?.about ? words(known.about) : known && role ? "How long it lives is up to the role." : ""}
      </p>
    </>
  );
}

/** A role, if it is there and the token may read it. */
async function readable(engine: string, role: string, signal: AbortSignal): Promise<Role | null> {
  const path = `${engine}/roles/${role}`;
  if (!role || !grants((await capabilities([path]))[path], "read")) return null;
  return roleOf(engine, role, { signal }).catch(() => null);
}

function words({ db_name, default_ttl, max_ttl }: Role): string {
  const life = default_ttl ? `lives ${duration(default_ttl)}` : "lives as long as the mount says";
  return `A new user of the database ${db_name}, which ${life}${max_ttl ? ` and, if it is renewed, ${duration(max_ttl)} at most` : ""}.`;
}

function NoRole({ engine }: { engine: string }): JSX.Element {
  return (
    <Empty icon="lease" title={`${engine}/ has no role yet`} text="A role says how users are made: at which database, with which statements, and for how long.">
      <LinkButton kind="primary" href={href(roleForm(engine, null))}>
        Create a role
      </LinkButton>
    </Empty>
  );
}
