import "./credentials.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, href } from "../../shell/router";
import { Badge, Button, Card, Command, Empty, Icon, Loading, Trouble } from "../../ui";
import type { ScreenProps } from "../types";
import { ByName } from "./ByName";
import { Area } from "./Frame";
import { Irrevocable } from "./Irrevocable";
import { LeaseTable } from "./LeaseTable";
import { bare } from "./leases";
import { SHOWN_MAX, useLiving } from "./living";
import { leasesAt } from "./places";
import { RevokeBelow } from "./RevokeBelow";

/** Every lease of the namespace, whoever it was issued to: folders by the paths that issued them. */
export default function Leases({ params }: ScreenProps): JSX.Element {
  const place = params.rest ?? "";
  return <Place key={place} place={place} />;
}

function Place({ place }: { place: string }): JSX.Element {
  const living = useLiving(place);
  const alive = living.rows.filter((row) => !row.end).length;
  const isFolder = place === "" || place.endsWith("/");
  return (
    <Area tab="leases" engine="" actions={place && isFolder ? <RevokeBelow prefix={place} alive={alive + living.more} onDone={living.reload} /> : undefined}>
      <Irrevocable prefix={place} />
      <Card
        flush
        title={<Way place={place} />}
        actions={
          <Badge tone={living.live ? "good" : ""} dot>
            {living.live ? "live" : "every few seconds"}
          </Badge>
        }
      >
        {living.error && living.rows.length === 0 ? (
          <Trouble error={living.error} what={isFolder ? "the leases here" : "this lease"} onRetry={living.reload} />
        ) : living.loading ? (
          <Loading />
        ) : living.folders.length === 0 && living.rows.length === 0 ? (
          <Empty icon="lease" title="No lease lives here" text="One appears in the moment in which somebody is issued a credential." />
        ) : (
          <>
            <Folders place={place} names={living.folders} />
            {living.rows.length > 0 && <LeaseTable rows={living.rows} refresh={living.refresh} />}
            {living.more > 0 && (
              <p class="cred-pad small muted" role="status">
                {living.more === 1 ? "1 more is" : `${living.more.toLocaleString()} more are`} alive. {SHOWN_MAX} are shown at once; list all of them with the command below.
              </p>
            )}
          </>
        )}
        {isFolder && Boolean(living.error) && <ByName label="Look at one lease by its id" verb="Look" placeholder="database/creds/reader/…" onOpen={(id) => go(leasesAt(bare(id)))} />}
      </Card>
      <Command
        cli={isFolder ? ["list", `sys/leases/lookup/${place}`] : ["lease", "lookup", place]}
        request={isFolder ? { method: "GET", path: `sys/leases/lookup/${place}`, query: { list: true } } : { method: "POST", path: "sys/leases/lookup", body: { lease_id: place } }}
      />
    </Area>
  );
}

/** The prefix, each part a step back. */
function Way({ place }: { place: string }): JSX.Element {
  const parts = place.split("/").filter((part, index, all) => part !== "" || index < all.length - 1);
  const upTo = (index: number) => `${parts.slice(0, index + 1).join("/")}/`;
  return (
    <span class="mono break">
      {place ? <a href={href(leasesAt(""))}>all</a> : "all"}
      {place && " / "}
      {parts.map((part, index) => (
        <span key={upTo(index)}>
          {index < parts.length - 1 ? <a href={href(leasesAt(upTo(index)))}>{part}</a> : part}
          {(index < parts.length - 1 || place.endsWith("/")) && "/"}
        </span>
      ))}
    </span>
  );
}

const FOLDERS_AT_ONCE = 200;

function Folders({ place, names }: { place: string; names: string[] }): JSX.Element {
  const [many, setMany] = useState(FOLDERS_AT_ONCE);
  return (
    <>
      <ul class="cred-folders">
        {names.slice(0, many).map((name) => (
          <li key={name}>
            <a href={href(leasesAt(place + name))}>
              <Icon name="folder" />
              <span class="break">{name}</span>
            </a>
          </li>
        ))}
      </ul>
      {names.length > many && (
        <div class="cred-pad">
          <Button size="small" onClick={() => setMany(many + FOLDERS_AT_ONCE)}>
            Show more of {names.length.toLocaleString()}
          </Button>
        </div>
      )}
    </>
  );
}
