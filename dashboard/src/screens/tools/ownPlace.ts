import { path } from "../../shell/router";

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
