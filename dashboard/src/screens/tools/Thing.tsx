import type { JSX } from "preact";
import { filled, operationOf, type PathInfo } from "../../forms/description";
import { KeptForm, readOrNone } from "../../forms/KeptForm";
import { isAllSecret } from "../../forms/OperationForm";
import { collectionOf, usesOf, within, type Offer } from "../../forms/offer";
import { Words } from "../../forms/Words";
import { go, href } from "../../shell/router";
import { Card, Loading, Page, Table, Trouble, useLoad } from "../../ui";
import { crumbsOf } from "./crumbs";
import { mountPlace, pathPlace } from "./places";
import { Methods } from "./Methods";

interface Props {
  offer: Offer;
  path: PathInfo;
  values: Record<string, string>;
}

/** One thing that the server keeps (a role, a key, a configuration), and what can be done with it. */
export function Thing({ offer, path, values }: Props): JSX.Element {
  const target = filled(path, values);
  const { data, error, reload } = useLoad(async (signal) => ({ kept: await readOrNone(target, signal) }), [target]);
  const last = path.params[path.params.length - 1];
  const title = (last && path.path.endsWith(`{${last.name}}`) && values[last.name]) || path.path.split("/").pop() || target;
  const crumbs = crumbsOf(offer, path, values);
  const collection = collectionOf(offer, path);
  const writing = operationOf(path, "POST");
  const deleting = operationOf(path, "DELETE");
  if (!data)
    return (
      <Page title={title} crumbs={crumbs}>
        {error ? <Trouble error={error} what={target} onRetry={reload} /> : <Loading />}
      </Page>
    );
  return (
    <KeptForm
      {...{ title, crumbs, target, reload }}
      kept={data.kept}
      about={path.about}
      fields={writing && !writing.isFree ? writing.body : null}
      writing={writing?.about}
      answer={operationOf(path, "GET")?.answer}
      covered={isAllSecret(path)}
      deleting={deleting?.about}
      onDeleted={() => go(collection ? pathPlace(offer, collection.list, values) : mountPlace(offer.base))}
    >
      {data.kept && <Besides {...{ offer, path, values }} />}
    </KeptForm>
  );
}

/** What there is below a thing, and what else takes its name. */
function Besides({ offer, path, values }: Props): JSX.Element | null {
  const collection = collectionOf(offer, path);
  const own = path.params[path.params.length - 1];
  const name = own ? (values[own.name] ?? "") : "";
  const below = within(offer, path).map((one) => ({ one, place: pathPlace(offer, one, values), words: one.path.slice(path.path.length + 1) }));
  const uses = collection ? usesOf(offer, collection).map(({ path: one, param }) => ({ one, place: pathPlace(offer, one, { [param.name]: name }), words: one.path.slice(offer.base.length + 1).replace(`{${param.name}}`, name) })) : [];
  const all = [...below, ...uses];
  if (all.length === 0) return null;
  return (
    <Card title={own ? `With ${name}` : "Besides"} flush>
      <div class="paths">
        <Table
          label="What can be done with it"
          rows={all}
          rowKey={({ one }) => one.path}
          columns={[
            { head: "Path", cell: ({ place, words }) => <a class="mono break" href={href(place)}>{words}</a> },
            { head: "What it does", cell: ({ one }) => <span class="muted break"><Words text={(one.operations.length === 1 && one.operations[0]?.about) || one.about} /></span> },
            { head: "Methods", right: true, cell: ({ one }) => <Methods methods={one.operations.map(({ method }) => method)} /> },
          ]}
        />
      </div>
    </Card>
  );
}
