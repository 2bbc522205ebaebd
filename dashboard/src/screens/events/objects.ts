import { deep, match, path } from "../../shell/router";
import { SCREENS } from "..";
import { placeOf } from "../secrets/places";
import { said } from "./rows";
import type { CofferEvent } from "../../api/events";

/** Something that an event is about, and the screen that shows it. */
export interface Jump {
  /** What is there: `the secret`, `the role` … */
  what: string;
  to: string;
}

/** Where what an event is about can be looked at. Only places that have a screen. */
export function jumpsOf(event: CofferEvent): Jump[] {
  const found = [...ofArea(event), ...ofMount(event)].flatMap(({ what, places }) => {
    const to = places.find(isScreen);
    return to ? [{ what, to }] : [];
  });
  return found.filter(({ to }, index) => found.findIndex((one) => one.to === to) === index);
}

/** A place, and others in case there is no such screen. */
interface Candidate {
  what: string;
  places: string[];
}

const isScreen = (to: string): boolean => SCREENS.some((screen) => match(screen.path, to.split("?")[0] ?? to));
const bare = (mount: string): string => mount.replace(/\/$/, "");

function ofArea(event: CofferEvent): Candidate[] {
  const at = (name: string) => said(event, name);
  const [area = "", what = ""] = event.data.event_type.split("/");
  const gone = what.endsWith("delete");
  switch (area) {
    case "kv-v1":
    case "kv-v2":
      return secret(event, area);
    case "lease":
      return [{ what: "the lease", places: [deep("/credentials/leases", at("lease_id"))] }];
    case "database":
      return database(what, at("name"), mountOf(event));
    case "transit":
    case "kms":
      return key(area, mountOf(event), at("path"));
    case "policy":
      return [{ what: gone ? "the policies" : "the policy", places: [gone ? "/access/policies" : path("access", "policies", "edit", at("name"))] }];
    case "mount":
      return mounted(at("path"), what === "disable");
    case "auth":
    case "token":
      return [{ what: "the token", places: [`/access/tokens?accessor=${encodeURIComponent(at("accessor"))}`] }, ...entity(at("entity_id"))];
    case "identity":
      return identity(what, at, gone);
    case "namespace":
      return [{ what: "the namespaces", places: ["/operations/namespaces"] }];
    case "quota":
      return [{ what: "the quotas", places: ["/operations/quotas"] }];
    case "audit":
      return [{ what: "the audit devices", places: ["/operations/audit"] }];
    case "sys":
      return [{ what: what.endsWith("seal") ? "the seal" : "the keys", places: [what.endsWith("seal") ? "/operations/seal" : "/operations/keys"] }];
    default:
      return [];
  }
}

function database(what: string, name: string, mount: string): Candidate[] {
  const query = `?${new URLSearchParams({ engine: mount }).toString()}`;
  const isStatic = /^(static|rotate)/.test(what);
  if (/^(config|reset|root-rotate)/.test(what)) return [{ what: "the connections", places: [`/credentials/connections${query}`] }];
  if (isStatic) return [{ what: "the static roles", places: [`/credentials/static${query}`] }];
  if (what === "role-delete") return [{ what: "the roles", places: [`/credentials/roles${query}`] }];
  return [{ what: "the role", places: [path("credentials", "roles", "at", name) + query] }];
}

function key(area: string, mount: string, at: string): Candidate[] {
  const name = at.startsWith(`${mount}/keys/`) ? at.slice(mount.length + "/keys/".length).split("/")[0] : "";
  if (!name) return [{ what: "the keys", places: [path(area, mount)] }];
  return [{ what: "the key", places: [path(area, mount, name)] }];
}

const mountOf = (event: CofferEvent): string => bare(event.data.plugin_info?.mount_path ?? "");

/** The engine or the method that told it. */
function ofMount(event: CofferEvent): Candidate[] {
  const mount = mountOf(event);
  if (!mount) return [];
  if (mount.startsWith("auth/")) return [{ what: "the auth method", places: [path("access", "auth", mount.slice("auth/".length))] }];
  return [{ what: "the engine", places: [path("engines", mount), path("operations", "engines", mount)] }];
}

function mounted(at: string, gone: boolean): Candidate[] {
  const method = at.startsWith("sys/auth/") ? at.slice("sys/auth/".length) : null;
  if (method !== null) return [{ what: gone ? "the auth methods" : "the auth method", places: [gone ? "/access/auth" : path("access", "auth", method)] }];
  const engine = at.replace(/^sys\/mounts\//, "");
  return [{ what: gone ? "the engines" : "the engine", places: gone ? ["/operations/engines"] : [path("engines", engine), path("operations", "engines", engine)] }];
}

function secret(event: CofferEvent, area: string): Candidate[] {
  const mount = event.data.plugin_info?.mount_path ?? "";
  const whole = said(event, "path");
  if (!mount || !whole.startsWith(mount)) return [];
  const rest = whole.slice(mount.length);
  const [kind = "", ...parts] = area === "kv-v1" ? ["", ...rest.split("/")] : rest.split("/");
  const name = parts.join("/");
  if (kind === "config" && !name) return [];
  // Of what is gone there is nothing to see but its folder.
  const gone = ["kv-v1/delete", "kv-v2/metadata-delete"].includes(event.data.event_type);
  const folder = name.slice(0, name.lastIndexOf("/") + 1);
  return [{ what: gone ? "its folder" : "the secret", places: [placeOf(bare(mount), gone ? folder : name)] }];
}

const entity = (id: string): Candidate[] => (id ? [{ what: "the entity", places: [path("access", "entities", id)] }] : []);

function identity(what: string, at: (name: string) => string, gone: boolean): Candidate[] {
  const isGroup = what.startsWith("group");
  const id = what.includes("alias") ? at(isGroup ? "group_id" : "entity_id") : gone ? "" : at("id");
  const list = isGroup ? "/access/groups" : "/access/entities";
  if (!id) return [{ what: isGroup ? "the groups" : "the entities", places: [list] }];
  return isGroup ? [{ what: "the group", places: [path("access", "groups", id)] }] : entity(id);
}
