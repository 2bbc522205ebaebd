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

/** The screen that was made for an engine; null where the generic one is the best. */
export function ownPlace(type: string, mount: string): string | null {
  switch (type) {
    case "kv":
    case "generic":
    case "cubbyhole":
    case "ns_cubbyhole":
      return path("secrets", mount);
    case "database":
      return `/credentials?${new URLSearchParams({ engine: mount }).toString()}`;
    case "transit":
      return path("transit", mount);
    case "kms":
      return path("kms", mount);
    case "identity":
    case "ns_identity":
      return path("access", "entities");
    default:
      return null;
  }
}
