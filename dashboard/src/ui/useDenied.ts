import { useCan, type Capability } from "../session";

/** Why this token can not do that, for a button's `because`; false while it may, or while it is not known yet. */
export function useDenied(path: string, capability: Capability): string | false {
  return useCan(path, capability) === false ? `No policy of your token grants ${capability} on ${path}` : false;
}
