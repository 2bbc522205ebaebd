import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { read, remove, write } from "../../api/client";
import { useCan } from "../../session";
import { Badge, Button, Card, Command, Confirm, Copy, Dialog, duration, Empty, Facts, Loading, Ring, Secret, Table, toast, Trouble, useLoad, useNow, when } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import type { ScreenProps } from "../types";
import { all, type Named, type StaticRole } from "./database";
import { Frame } from "./Frame";
import { local } from "./leases";
import { ByName } from "./Roles";
import { NewStaticRole } from "./NewStaticRole";
import { told, useEvents } from "./stream";
import { time } from "./time";

const POLL_MS = 4_000;
const POLL_BESIDE_EVENTS_MS = 30_000;
/** Rotations are looked for every few seconds; one that is later than this has failed. */
const LATE_MS = 12_000;

interface Credential {
  username: string;
  password: string;
  ttl: number;
  last_vault_rotation: string;
}

/** Users that stay, whose password is changed again and again. */
export default function StaticRoles({ query }: ScreenProps): JSX.Element {
  const [adding, setAdding] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  return (
    <Frame tab="static" engine={query.get("engine")} actions={(engine) => <New engine={engine} onClick={() => setAdding(engine)} />}>
      {(engine) => (
        <>
          <Listed key={`${engine} ${round}`} engine={engine} />
          {adding === engine && <NewStaticRole engine={engine} onClose={() => setAdding(null)} onDone={() => setRound(round + 1)} />}
        </>
      )}
    </Frame>
  );
}

function New({ engine, onClick }: { engine: string; onClick: () => void }): JSX.Element {
  return (
    <Button kind="primary" icon="plus" because={useDenied(`${engine}/static-roles/new`, "create")} onClick={onClick}>
      Take over a user
    </Button>
  );
}

function Listed({ engine }: { engine: string }): JSX.Element {
  const [shown, setShown] = useState<string | null>(null);
  const [gone, setGone] = useState<string | null>(null);
  const [failing, setFailing] = useState<Record<string, true>>({});
  const reload = useRef(() => {});
  const live = useEvents("database/*", {
    onGap: () => reload.current(),
    onEvent: ({ data, ...event }) => {
      if (data.plugin_info?.mount_path !== `${engine}/`) return;
      const name = told({ data, ...event }, "name");
      if (data.event_type === "database/rotate-fail") setFailing((last) => ({ ...last, [name]: true }));
      if (data.event_type === "database/rotate") setFailing(({ [name]: _, ...others }) => others);
      if (/^database\/(rotate|static-)/.test(data.event_type)) reload.current();
    },
  });
  const loaded = useLoad((signal) => all<StaticRole>(`${engine}/static-roles`, signal), [engine], live ? POLL_BESIDE_EVENTS_MS : POLL_MS);
  reload.current = loaded.reload;
  const { data, error } = loaded;
  if (error && !data) {
    return (
      <Card>
        <Trouble error={error} what="the static roles" onRetry={loaded.reload} />
        <ByName label="See the credential of one by its name" onOpen={setShown} />
        {shown !== null && <CredentialDialog engine={engine} name={shown} onClose={() => setShown(null)} />}
      </Card>
    );
  }
  if (!data) return <Loading />;
  return (
    <>
      <Card flush foot={data.more > 0 && <span class="small muted">{data.more.toLocaleString()} more are not shown; list them with the command below.</span>}>
        <Table
          label="Static roles"
          rows={data.rows}
          rowKey={({ name }) => name}
          empty={<Empty icon="refresh" title="No static role" text="A static role takes over a user that exists in the database already, and changes its password again and again; readers get the current one." />}
          columns={[
            { head: "Next", cell: (row) => <Next row={row} failing={failing[row.name] ?? false} /> },
            {
              head: "Static role",
              cell: ({ name, about }) => (
                <span class="cred-two">
                  <span class="mono break">{name}</span>
                  {about && (
                    <span class="small muted break">
                      the user {about.username} of {about.db_name}
                    </span>
                  )}
                </span>
              ),
            },
            { head: "Rotated last", cell: ({ about }) => <span class="num">{about ? time(local(about.last_vault_rotation)) : "–"}</span> },
            {
              head: "Actions",
              actions: true,
              cell: ({ name }) => <Acts engine={engine} name={name} onShow={() => setShown(name)} onDelete={() => setGone(name)} onDone={loaded.reload} />,
            },
          ]}
        />
      </Card>
      <Command cli={["read", `${engine}/static-creds/ROLE`]} request={{ method: "GET", path: `${engine}/static-creds/ROLE` }} />
      {shown !== null && <CredentialDialog engine={engine} name={shown} onClose={() => setShown(null)} />}
      {gone !== null && (
        <Confirm
          title={`Delete the static role ${gone}?`}
          verb="Delete"
          danger
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await remove(`${engine}/static-roles/${gone}`);
            toast(`The static role ${gone} is deleted`);
            loaded.reload();
          }}
        >
          Its user stays in the database, with the password that it has now. Nobody can read that here any more.
        </Confirm>
      )}
    </>
  );
}

/** How long the password is good for. */
function Next({ row: { about }, failing }: { row: Named<StaticRole>; failing: boolean }): JSX.Element {
  const now = useNow(1_000);
  if (!about) return <span class="muted">–</span>;
  const next = local(about.last_vault_rotation) + about.rotation_period * 1_000;
  const left = Math.max(0, Math.ceil((next - now) / 1_000));
  return (
    <span class="cred-row">
      <Ring expires={next} ttl={about.rotation_period} size={40} />
      <span class="small cred-two">
        {failing || now > next + LATE_MS ? (
          <span>
            <Badge tone="bad" dot>
              failing
            </Badge>
          </span>
        ) : (
          <span class="num nowrap">{left > 0 ? `in ${duration(left)}` : "any moment"}</span>
        )}
        <span class="muted nowrap">every {duration(about.rotation_period)}</span>
      </span>
    </span>
  );
}

function Acts({ engine, name, onShow, onDelete, onDone }: { engine: string; name: string; onShow: () => void; onDelete: () => void; onDone: () => void }): JSX.Element {
  const [rotating, setRotating] = useState(false);
  const readable = useCan(`${engine}/static-creds/${name}`, "read");
  const noRead = useDenied(`${engine}/static-creds/${name}`, "read");
  const noRotate = useDenied(`${engine}/rotate-role/${name}`, "update");
  const noDelete = useDenied(`${engine}/static-roles/${name}`, "delete");
  return (
    <span class="row end cred-both">
      {readable && <Copy text={async () => (await credentialOf(engine, name)).password} label={`Copy the password of ${name} without showing it`} />}
      <Button size="small" label={`Credential of ${name}`} because={noRead} onClick={onShow}>
        Credential
      </Button>
      <Button size="small" label={`Rotate now: ${name}`} because={noRotate} onClick={() => setRotating(true)}>
        Rotate now
      </Button>
      <Button size="small" kind="danger" label={`Delete ${name}`} because={noDelete} onClick={onDelete}>
        Delete
      </Button>
      {rotating && (
        <Confirm
          title={`Rotate ${name} now?`}
          verb="Rotate"
          onClose={() => setRotating(false)}
          onConfirm={async () => {
            await write(`${engine}/rotate-role/${name}`);
            toast(`${name} has a new password`);
            onDone();
          }}
        >
          Its user gets a new password at once. Who uses the old one has to read the new one.
        </Confirm>
      )}
    </span>
  );
}

/** The current credential of a static role: read when it is asked for, gone with the dialog. */
function CredentialDialog({ engine, name, onClose }: { engine: string; name: string; onClose: () => void }): JSX.Element {
  const { data, error, reload } = useLoad((signal) => credentialOf(engine, name, signal), [engine, name]);
  const path = `${engine}/static-creds/${name}`;
  return (
    <Dialog title={`Credential of ${name}`} onClose={onClose}>
      {error && !data ? (
        <Trouble error={error} what="this credential" onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <div class="stack">
          <Facts
            facts={[
              [
                "User",
                <span class="row">
                  <code class="break">{data.username}</code>
                  <Copy text={data.username} label="Copy the user" />
                </span>,
              ],
              ["Password", <Secret value={data.password} label="the password" />],
              ["Good for", duration(data.ttl)],
              ["Rotated last", when(local(data.last_vault_rotation))],
            ]}
          />
          <Command cli={["read", path]} request={{ method: "GET", path }} />
        </div>
      )}
    </Dialog>
  );
}

const credentialOf = async (engine: string, name: string, signal?: AbortSignal): Promise<Credential> => (await read<Credential>(`${engine}/static-creds/${name}`, { signal })).data;
