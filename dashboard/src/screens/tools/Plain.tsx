import type { JSX } from "preact";
import type { PathInfo } from "../../forms/description";
import type { Offer } from "../../forms/offer";
import { Page } from "../../ui";
import { crumbsOf } from "./crumbs";
import { Operations } from "./Operations";

/** Something to be asked or done: a form for each of its methods. */
export function Plain({ offer, path, values }: { offer: Offer; path: PathInfo; values: Record<string, string> }): JSX.Element {
  return (
    <Page title={path.path.slice(offer.base.length + 1)} crumbs={crumbsOf(offer, path, values)} lead={path.operations.length > 1 ? path.about : undefined}>
      <Operations path={path} offer={offer} given={values} />
    </Page>
  );
}
