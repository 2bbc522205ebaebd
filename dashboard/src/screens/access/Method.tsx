import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list } from "../../api/client";
import type { PathInfo } from "../../forms/description";
import { offerOf } from "../../forms/load";
import { below } from "../../forms/offer";
import { go, href, path } from "../../shell/router";
import { Button, Card, Empty, Field, LinkButton, Loading, Note, sentence, Table, useLoad } from "../../ui";
import { METHODS } from "../operations/mounts/kinds";
import { MountPage } from "../operations/mounts/MountPage";
import type { ScreenProps } from "../types";

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
  const { data, error } = useLoad(() => offerOf(`auth/${at}`), [at]);
  if (error) return <Note tone="warn">What this method has besides can not be shown: {error instanceof Error ? error.message : String(error)}</Note>;
  if (!data) return <Loading />;
  const settings = data.settings.map((one) => below(data, one)).filter((one) => one.startsWith("config"));
  return (
    <>
      <div class="row">
        {settings.map((one) => (
          <LinkButton key={one} icon="edit" href={href(path("access", "auth", at, "set", one))}>
            {one === "config" ? "Configuration" : sentence(one.replace(/^config\//, "configuration: "))}
          </LinkButton>
        ))}
        <LinkButton icon="tools" href={href(path("engines", `auth/${at}`))}>
          All that it offers
        </LinkButton>
      </div>
      {data.collections.map((one) => one.entry && <Names key={one.list.path} at={at} kind={below(data, one.entry).replace(/\/[^/]*$/, "")} list={one.list} />)}
    </>
  );
}

function Names({ at, kind, list: from }: { at: string; kind: string; list: PathInfo }): JSX.Element {
  const { data, error } = useLoad((signal) => list(from.path, { signal }), [from.path]);
  const [name, setName] = useState("");
  const place = (one: string) => path("access", "auth", at, "in", kind, one);
  const found = (data ?? []).filter((one) => !name || one.includes(name));
  return (
    <Card
      title={sentence(kind)}
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
            <Field label={`Name, in ${kind}`} bare mono placeholder="Find, or name a new one" value={name} onInput={setName} />
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
          label={sentence(kind)}
          rows={found.slice(0, SHOWN_MAX)}
          rowKey={(one) => one}
          empty={<Empty title={data.length ? "Nothing has that in its name" : "None yet"} text={from.about} />}
          columns={[{ head: "Name", cell: (one) => <a class="mono break" href={href(place(one))}>{one}</a> }]}
        />
      )}
      {found.length > SHOWN_MAX && <p class="muted small">{found.length - SHOWN_MAX} more: find them by name.</p>}
    </Card>
  );
}
