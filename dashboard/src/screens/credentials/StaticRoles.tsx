import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { remove } from "../../api/client";
import { Button, Card, Command, Confirm, Empty, Loading, Table, toast, Trouble, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import type { ScreenProps } from "../types";
import { ByName } from "./ByName";
import { all, type StaticRole } from "./database";
import { Frame } from "./Frame";
import { local } from "./leases";
import { NewStaticRole } from "./NewStaticRole";
import { StaticActs } from "./StaticActs";
import { CredentialDialog } from "./StaticCredential";
import { StaticNext } from "./StaticNext";
import { told, useEvents } from "./stream";
import { time } from "./time";

const POLL_MS = 4_000;
const POLL_BESIDE_EVENTS_MS = 30_000;

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
            { head: "Next", cell: (row) => <StaticNext row={row} failing={failing[row.name] ?? false} /> },
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
              cell: ({ name }) => <StaticActs engine={engine} name={name} onShow={() => setShown(name)} onDelete={() => setGone(name)} onDone={loaded.reload} />,
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
