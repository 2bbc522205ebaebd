import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list } from "../../api/client";
import { go, href, path } from "../../shell/router";
import { Button, Card, Empty, Field, LinkButton, Loading, Note, sentence, Table, useLoad } from "../../ui";
import { METHODS } from "../operations/mounts/kinds";
import { MountPage } from "../operations/mounts/MountPage";
import type { ScreenProps } from "../types";
import { described, type Collection } from "./description";

const SHOWN_MAX = 200;

/** One auth method: its users, roles and configuration, and the settings of its mount. */
export default function Method({ params }: ScreenProps): JSX.Element {
  const at = params.mount ?? "";
  return (
    <MountPage kind={METHODS} at={at}>
      {() => <Own at={at} />}
    </MountPage>
  );
}

function Own({ at }: { at: string }): JSX.Element {
  const { data, error } = useLoad(() => described(at), [at]);
  if (error) return <Note tone="warn">What this method has besides can not be shown: {error instanceof Error ? error.message : String(error)}</Note>;
  if (!data) return <Loading />;
  return (
    <>
      {data.settings.length > 0 && (
        <div class="row">
          {data.settings.map((one) => (
            <LinkButton key={one.path} icon="edit" href={href(path("access", "auth", at, "set", one.path))}>
              {one.path === "config" ? "Configuration" : sentence(one.path.replace(/^config\//, "configuration: "))}
            </LinkButton>
          ))}
        </div>
      )}
      {data.collections.map((one) => (
        <Names key={one.path} at={at} collection={one} />
      ))}
    </>
  );
}

function Names({ at, collection }: { at: string; collection: Collection }): JSX.Element {
  const base = `auth/${at}/${collection.path}`;
  const { data, error } = useLoad((signal) => list(base, { signal }), [base]);
  const [name, setName] = useState("");
  const place = (one: string) => path("access", "auth", at, "in", collection.path, one);
  const found = (data ?? []).filter((one) => !name || one.includes(name));
  return (
    <Card
      title={sentence(collection.path)}
      flush
      foot={
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) go(place(name.trim()));
          }}
        >
          <div class="grow">
            <Field label={`Name, in ${collection.path}`} bare mono placeholder="Find, or name a new one" value={name} onInput={setName} />
          </div>
          <Button type="submit" icon="plus" disabled={!name.trim()}>
            Open or make
          </Button>
        </form>
      }
    >
      {error ? <Empty title="They can not be listed" text={error instanceof Error ? sentence(error.message) : ""} /> : null}
      {data && (
        <Table
          label={sentence(collection.path)}
          rows={found.slice(0, SHOWN_MAX)}
          rowKey={(one) => one}
          empty={<Empty title={data.length ? "Nothing has that in its name" : "None yet"} text={collection.about} />}
          columns={[{ head: "Name", cell: (one) => <a class="mono break" href={href(place(one))}>{one}</a> }]}
        />
      )}
      {found.length > SHOWN_MAX && <p class="muted small">{found.length - SHOWN_MAX} more: find them by name.</p>}
    </Card>
  );
}
