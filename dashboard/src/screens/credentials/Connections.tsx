import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { namespace, onForget } from "../../session";
import { AllowedButton } from "../../ui/AllowedButton";
import { Badge, Card, Code, Command, Confirm, Empty, Loading, sentence, Table, toast, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { all, product, type Connection } from "./database";
import { Frame } from "./Frame";

/** What a try of a connection said, by engine and name. */
const tried = signal<Record<string, { at: number; error: string | null }>>({});
onForget(() => (tried.value = {}));
const TRIED_MAX = 200;

/** How the databases of an engine are reached. */
export default function Connections({ query }: ScreenProps): JSX.Element {
  return (
    <Frame tab="connections" engine={query.get("engine")}>
      {(engine) => <Listed key={engine} engine={engine} />}
    </Frame>
  );
}

function Listed({ engine }: { engine: string }): JSX.Element {
  const { data, error, reload } = useLoad((signal) => all<Connection>(`${engine}/config`, signal), [engine]);
  const [rotating, setRotating] = useState<string | null>(null);
  if (error && !data) return <Trouble error={error} what="the connections" onRetry={reload} />;
  if (!data) return <Loading />;
  return (
    <>
      <Card flush foot={data.more > 0 && <span class="small muted">{data.more.toLocaleString()} more are not shown; list them with the command below.</span>}>
        <Table
          label="Connections"
          rows={data.rows}
          rowKey={({ name }) => name}
          empty={<NoConnection engine={engine} />}
          columns={[
            {
              head: "Connection",
              cell: ({ name, about }) => (
                <span class="cred-two">
                  <span class="mono break">{name}</span>
                  {about && <span class="small muted">{product(about.plugin_name)}</span>}
                </span>
              ),
            },
            {
              head: "Reached at",
              cell: ({ name, about }) => (
                <span class="cred-two">
                  {about ? <Reached about={about} /> : <span class="muted">not shown to this token</span>}
                  <Answers engine={engine} name={name} />
                </span>
              ),
            },
            {
              head: "Actions",
              actions: true,
              cell: ({ name }) => (
                <span class="row end cred-both">
                  <AllowedButton size="small" path={`${engine}/config/${name}`} needs="update" label={`Try ${name}`} onClick={() => attempt(engine, name)}>
                    Try
                  </AllowedButton>
                  <AllowedButton size="small" path={`${engine}/reset/${name}`} needs="update" label={`Reset ${name}`} onClick={() => reset(engine, name)}>
                    Reset
                  </AllowedButton>
                  <AllowedButton size="small" kind="danger" path={`${engine}/rotate-root/${name}`} needs="update" label={`Rotate root password of ${name}`} onClick={() => setRotating(name)}>
                    Rotate root
                  </AllowedButton>
                </span>
              ),
            },
          ]}
        />
      </Card>
      <Command cli={["list", `${engine}/config`]} request={{ method: "GET", path: `${engine}/config`, query: { list: true } }} />
      {rotating !== null && (
        <Confirm
          title={`Rotate the root password of ${rotating}?`}
          verb="Rotate"
          danger
          onClose={() => setRotating(null)}
          onConfirm={async () => {
            await write(`${engine}/rotate-root/${rotating}`);
            toast(`The user of ${rotating} has a new password`);
          }}
        >
          <div class="stack">
            <span>The user with which Coffer itself logs in gets a new password, which nobody sees. Whoever else uses that user is cut off, and there is no way back but to set a password in the database by hand.</span>
            <Command cli={["write", "-f", `${engine}/rotate-root/${rotating}`]} request={{ method: "POST", path: `${engine}/rotate-root/${rotating}` }} />
          </div>
        </Confirm>
      )}
    </>
  );
}

function Reached({ about: { connection_details: details, allowed_roles } }: { about: Connection }): JSX.Element {
  return (
    <>
      <code class="cred-url">{details.connection_url ?? "–"}</code>
      <span class="small muted break">
        {details.username && `as ${details.username}, `}for {allowed_roles.includes("*") ? "all roles" : allowed_roles.join(", ") || "no role"}
      </span>
    </>
  );
}

/** What the last try said. */
function Answers({ engine, name }: { engine: string; name: string }): JSX.Element {
  const last = tried.value[`${namespace.value}${engine}/${name}`];
  return (
    <span aria-live="polite">
      {last && (
        <>
          <Badge tone={last.error ? "bad" : "good"} dot>
            {last.error ? "does not answer" : "answers"}
          </Badge>{" "}
          <span class="small muted nowrap">at {new Date(last.at).toLocaleTimeString()}</span>
          {last.error && <div class="small break">{sentence(last.error)}</div>}
        </>
      )}
    </span>
  );
}

/** Writes a configuration as it is: the server logs in to the database before it takes one. */
async function attempt(engine: string, name: string): Promise<void> {
  let error: string | null = null;
  try {
    await write(`${engine}/config/${name}`);
  } catch (reason) {
    error = reason instanceof Error ? reason.message : String(reason);
  }
  const others = Object.entries(tried.value).slice(1 - TRIED_MAX);
  tried.value = Object.fromEntries([...others, [`${namespace.value}${engine}/${name}`, { at: Date.now(), error }]]);
}

async function reset(engine: string, name: string): Promise<void> {
  await write(`${engine}/reset/${name}`);
  toast(`The connections of ${name} are closed; the next request opens new ones`);
}

function NoConnection({ engine }: { engine: string }): JSX.Element {
  return (
    <div class="stack">
      <Empty icon="link" title="No database is configured" text="Say how it is reached, and which roles may use it. The connection is tried at once." />
      <div class="cred-pad">
        <Code text={`coffer write ${engine}/config/shop \\\n    plugin_name=postgresql-database-plugin \\\n    connection_url='postgresql://{{username}}:{{password}}@127.0.0.1:5432/shop' \\\n    username=coffer password=- allowed_roles='*'`} label="Copy the command" />
      </div>
    </div>
  );
}
