import { nameIn, operationOf, type PathInfo } from "../../forms/description";
import { collectionOf, type Offer } from "../../forms/offer";
import { mountPlace, pathPlace } from "./places";

/** The way to a path: the engines, the mount, and each list and thing that it is below. */
export function crumbsOf(offer: Offer, path: PathInfo, values: Record<string, string>): { title: string; path: string }[] {
  const crumbs = [
    { title: "Engines", path: "/engines" },
    { title: offer.base, path: mountPlace(offer.base) },
  ];
  const ups = offer.paths.filter((up) => path.path.startsWith(`${up.path}/`) && (operationOf(up, "LIST") || collectionOf(offer, up)) && up.params.every(({ name }) => values[name]));
  const listed = collectionOf(offer, path)?.list;
  if (listed && listed !== path && !ups.includes(listed)) ups.push(listed);
  for (const up of ups.sort((one, other) => one.path.length - other.path.length)) {
    const last = up.path.split("/").pop() ?? "";
    const name = nameIn(last);
    crumbs.push({ title: name === null ? last : (values[name] ?? last), path: pathPlace(offer, up, values) });
  }
  return crumbs;
}
