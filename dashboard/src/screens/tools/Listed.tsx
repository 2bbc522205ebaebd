import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listWithInfo } from "../../api/client";
import { filled, nameIn, operationOf } from "../../forms/description";
import { below, type Collection, type Offer } from "../../forms/offer";
import { OperationForm } from "../../forms/OperationForm";
import { isSecret } from "../../forms/secrets";
import { Shown } from "../../forms/Shown";
import { go, href } from "../../shell/router";
import { Button, Card, Command, Empty, Field, Icon, operands, Page, sentence, Table, Trouble, useLoad } from "../../ui";
import { crumbsOf } from "./crumbs";
import { pathPlace } from "./places";

const SHOWN_MAX = 200;
const FIND_FROM = 20;
/** So many facts stand beside a name. */
const TOLD_MAX = 3;

/** The names of one sort of things, with a way to each and to a new one. */
export function Listed({ offer, collection, values }: { offer: Offer; collection: Collection; values: Record<string, string> }): JSX.Element {
  const { list: path, entry } = collection;
  const own = entry?.params[entry.params.length - 1];
  const folder = path === entry && own ? (values[own.name] ?? "") : "";
  const target = filled(path, values);
  const { data: listed, error, reload } = useLoad((signal) => listWithInfo(target, { signal }), [target]);
  const data = listed?.keys;
  const [name, setName] = useState("");
  const names = (data ?? []).filter((one) => one.toLowerCase().includes(name.trim().toLowerCase()));
  const placeOf = (one: string) => entry && own && pathPlace(offer, entry, { ...carried(path.params, entry.params, values), [own.name]: `${folder}${one}` });
  const make = operationOf(path, "POST");
  const isOpened = entry && (operationOf(entry, "POST") || operationOf(entry, "GET"));
  // Where the list itself makes things, a name makes none.
  const isMade = !make && operationOf(entry, "POST") !== undefined;
  const title = folder || titleOf(below(offer, path)) || `${offer.base}/`;
  const columns = told(listed?.info ?? {});
  return (
    <Page title={title} crumbs={crumbsOf(offer, path, values)} lead={path.about}>
      {error && !data ? (
        <Trouble error={error} what={target} onRetry={reload} />
      ) : (
        <Card
          flush
          foot={
            (isOpened || (data?.length ?? 0) > FIND_FROM) && (
              <form
                class="row"
                onSubmit={(event) => {
                  event.preventDefault();
                  const to = name.trim() && placeOf(name.trim());
                  if (to) go(to);
                }}
              >
                <div class="grow">
                  <Field label={`Name, in ${title}`} bare mono placeholder={isMade ? "Find, or name a new one" : isOpened ? "Find, or name one" : "Find"} value={name} onInput={setName} />
                </div>
                {isOpened && (
                  <Button type="submit" icon={isMade ? "plus" : "search"} disabled={!name.trim()}>
                    {isMade ? "Open or make" : "Open"}
                  </Button>
                )}
              </form>
            )
          }
        >
          <Table
            label={sentence(title)}
            rows={names.slice(0, SHOWN_MAX)}
            rowKey={(one) => one}
            empty={data && <Empty title={data.length > 0 ? "Nothing has that in its name" : "None yet"} text={data.length > 0 ? undefined : ((isMade && operationOf(entry, "POST")?.about) || (make?.about ?? path.about))} />}
            columns={[
              { head: columns.length > 0 && own ? own.name : "Name", cell: (one) => <Name name={one} place={placeOf(one)} /> },
              ...columns.map((field) => ({ head: field, cell: (one: string) => <Told name={field} value={listed?.info[one]?.[field]} /> })),
            ]}
          />
          {names.length > SHOWN_MAX && <p class="muted small more-names">{names.length - SHOWN_MAX} more: find them by name.</p>}
        </Card>
      )}
      {make ? <OperationForm key={target} path={path} operation={make} offer={offer} given={values} onDone={reload} /> : <Command cli={["list", ...operands(target)]} request={{ method: "GET", path: target, query: { list: true } }} />}
    </Page>
  );
}

/** What a list is called: its last word, with the one before where things have several lists (`entity/id`, `entity/name`). */
function titleOf(path: string): string {
  const words = path.split("/").filter((segment) => nameIn(segment) === null);
  return words.slice(["id", "name"].includes(words[words.length - 1] ?? "") ? -2 : -1).join("/");
}

/** The short facts that a list tells of its names: those that the first one has. */
function told(info: Record<string, Record<string, unknown>>): string[] {
  const first = Object.values(info)[0] ?? {};
  return Object.keys(first)
    .filter((name) => ["string", "number", "boolean"].includes(typeof first[name]) && !/^(id|uuid)$/.test(name))
    .slice(0, TOLD_MAX);
}

/** A fact beside a name; copied where the thing itself is. */
function Told({ name, value }: { name: string; value: unknown }): JSX.Element {
  if (value === undefined || value === null || value === "") return <span class="muted">–</span>;
  return typeof value === "string" && !isSecret(name, value) ? <span class="break">{value}</span> : <Shown name={name} value={value} />;
}

function Name({ name, place }: { name: string; place: string | null | undefined }): JSX.Element {
  const words = <span class="mono break">{name}</span>;
  if (!place) return words;
  return (
    <a class="row" href={href(place)}>
      {name.endsWith("/") && <Icon name="folder" />}
      {words}
    </a>
  );
}

/** What is known of a list's path, by the names that the path of one thing has for the same parts. */
function carried(from: { name: string }[], to: { name: string }[], values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(to.map(({ name }, index) => [name, values[name] ?? values[from[index]?.name ?? ""] ?? ""]).filter(([, value]) => value));
}
