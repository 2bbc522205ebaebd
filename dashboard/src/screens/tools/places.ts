import { below, type Offer } from "../../forms/offer";
import type { PathInfo } from "../../forms/description";
import { path } from "../../shell/router";

/** The place of a mount. */
export const mountPlace = (base: string): string => path("engines", base);

/** The place of a path of a mount, with what is known of its parts. */
export function pathPlace(offer: Offer, one: PathInfo, values: Record<string, string> = {}): string {
  const known = new URLSearchParams(Object.entries(values).filter(([name]) => one.params.some((param) => param.name === name)));
  const tail = known.toString();
  return `${path("engines", offer.base, "at", below(offer, one))}${tail ? `?${tail}` : ""}`;
}

/** The place of a path among all. */
export const explorerPlace = ({ path: template }: PathInfo): string => path("explorer", template);
