import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { SCREENS } from "..";
import { href, match } from "../../shell/router";
import { Badge, Card, Command, Empty, Field, LinkButton, Loading, Page, Table, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { engines } from "../../session/engines";
import { ownPlace } from "./ownPlace";
import { mountPlace } from "./places";
import "./tools.css";

/** So many fit into one look. */
const FIND_FROM = 12;

/** Every engine that this token can see, with the way to what it offers. */
export default function Engines(_: ScreenProps): JSX.Element {
  const { data, error, reload } = useLoad(engines, []);
  const [wanted, setWanted] = useState("");
  const found = (data ?? []).filter(({ path, type, description }) => `${path} ${type} ${description}`.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <Page
      title="Engines"
      lead="What is mounted here, and all that each of them can do. Forms are made out of the server's own description of its API, so a new engine has them at once."
      actions={
        <LinkButton icon="search" href={href("/explorer")}>
          API explorer
        </LinkButton>
      }
    >
      {error && !data ? <Trouble error={error} what="the engines" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && data.length > FIND_FROM && (
        <div class="find">
          <Field label="Find an engine" bare type="search" placeholder="Find by path, type or description" value={wanted} onInput={setWanted} />
        </div>
      )}
      {data && (
        <Card flush>
          <Table
            label="Engines"
            rows={found}
            rowKey={({ path }) => path}
            empty={data.length > 0 ? <Empty title="No engine is called that" text="The path, the type and the description are looked at." /> : <Empty title="No engine is open to this token" text="A policy that grants a path of an engine makes it appear here." />}
            columns={[
              { head: "Path", cell: ({ path }) => <a class="mono break" href={href(mountPlace(path))}>{`${path}/`}</a> },
              { head: "Type", cell: ({ type, version }) => <Badge>{type}{version && ` v${version}`}</Badge> },
              { head: "What it is for", cell: ({ description }) => <span class="muted break">{description || "–"}</span> },
              { head: "Its own screen", actions: true, cell: ({ path, type }) => <Own mount={path} type={type} /> },
            ]}
          />
        </Card>
      )}
      <Command cli={["secrets", "list"]} request={{ method: "GET", path: "sys/internal/ui/mounts" }} />
    </Page>
  );
}

/** The way to the screen that was made for such an engine. */
function Own({ mount, type }: { mount: string; type: string }): JSX.Element | null {
  const place = ownPlace(type, mount);
  if (!place || !SCREENS.some((screen) => match(screen.path, place.split("?")[0] ?? ""))) return null;
  return (
    <LinkButton size="small" href={href(place)}>
      {WORDS[type.replace(/^ns_/, "")] ?? "Open"}
    </LinkButton>
  );
}

const WORDS: Record<string, string> = { kv: "Secrets", generic: "Secrets", cubbyhole: "Secrets", database: "Credentials", transit: "Encrypt", kms: "Encrypt", identity: "Entities" };
