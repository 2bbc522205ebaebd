import type { JSX } from "preact";
import { operationOf, type PathInfo } from "../../forms/description";
import { offerOf } from "../../forms/load";
import { collectionOf, isSetting, listedAt, type Offer } from "../../forms/offer";
import { Empty, Loading, Page, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { Listed } from "./Listed";
import { mountPlace } from "./places";
import { Plain } from "./Plain";
import { Thing } from "./Thing";
import "./tools.css";

/** One path of a mount: a list, a thing that is kept, or something to be done. */
export default function At({ params, query }: ScreenProps): JSX.Element {
  const base = params.mount ?? "";
  const template = `${base}/${params.template ?? ""}`;
  const { data: offer, error, reload } = useLoad(() => offerOf(base), [base]);
  const found = offer?.paths.find((one) => one.path === template);
  const values: Record<string, string> = Object.fromEntries((found?.params ?? []).flatMap(({ name }) => (query.get(name) ? [[name, query.get(name)!]] : [])));
  if (offer && found) return <Found key={`${template}?${JSON.stringify(values)}`} offer={offer} path={found} values={values} />;
  return (
    <Page title={params.template ?? ""} crumbs={[{ title: "Engines", path: "/engines" }, { title: base, path: mountPlace(base) }]}>
      {error ? <Trouble error={error} what={template} onRetry={reload} /> : offer ? <Empty icon="search" title="The server has no such path" text="The mount may have been moved or disabled, or the address is from another version." /> : <Loading />}
    </Page>
  );
}

function Found({ offer, path, values }: { offer: Offer; path: PathInfo; values: Record<string, string> }): JSX.Element {
  const missing = path.params.filter(({ name }) => !values[name]);
  const last = path.params[path.params.length - 1];
  const listed = listedAt(offer, path);
  // A folder of names, or all of them.
  const isFolder = operationOf(path, "LIST") && missing.every((param) => listed?.entry === path && param === last) && (missing.length > 0 || path.params.length === 0 || values[last!.name]!.endsWith("/") || listed?.entry !== path);
  if (listed && isFolder) return <Listed offer={offer} collection={listed} values={values} />;
  const isKept = operationOf(path, "GET") && missing.length === 0 && (collectionOf(offer, path) !== undefined || isSetting(path));
  return isKept ? <Thing offer={offer} path={path} values={values} /> : <Plain offer={offer} path={path} values={values} />;
}
