/** What is mounted: secrets engines and auth methods are listed, enabled, tuned, moved and disabled alike. */
export interface MountKind {
  /** Where they are managed. */
  base: "sys/mounts" | "sys/auth";
  /** What stands before their paths. */
  prefix: "" | "auth/";
  place: string;
  cli: "secrets" | "auth";
  catalog: "secret" | "auth";
  title: string;
  one: string;
  lead: string;
}

export const ENGINES: MountKind = {
  base: "sys/mounts",
  prefix: "",
  place: "/operations/engines",
  cli: "secrets",
  catalog: "secret",
  title: "Secrets engines",
  one: "secrets engine",
  lead: "What keeps secrets, issues credentials or encrypts, and where it is mounted.",
};

export const METHODS: MountKind = {
  base: "sys/auth",
  prefix: "auth/",
  place: "/access/auth",
  cli: "auth",
  catalog: "auth",
  title: "Auth methods",
  one: "auth method",
  lead: "How people and machines prove who they are, and what the tokens they get are like.",
};

/** A mount as the server lists it. */
export interface Mount {
  type: string;
  description: string;
  accessor: string;
  uuid: string;
  local: boolean;
  seal_wrap: boolean;
  options: Record<string, string> | null;
  running_plugin_version: string;
  config: { default_lease_ttl: number; max_lease_ttl: number; token_type?: string; listing_visibility?: string };
}

/** Mounts of the server itself, which stay. */
export const stays = ({ type }: Mount): boolean => ["system", "identity", "cubbyhole", "token", "ns_system", "ns_identity", "ns_cubbyhole", "ns_token"].includes(type);
