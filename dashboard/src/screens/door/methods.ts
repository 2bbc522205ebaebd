import { read, write, type Answer } from "../../api/client";

/** A way to sign in. */
export interface Method {
  /** `token`, `userpass`, `ldap`, `approle`, `oidc`, `jwt` … */
  type: string;
  /** Where it is mounted, without the last slash; "" for tokens. */
  mount: string;
  description: string;
}

/** The kinds this page can do, in words. */
export const KINDS: Record<string, string> = {
  token: "Token",
  userpass: "Username and password",
  ldap: "LDAP",
  oidc: "OIDC provider",
  jwt: "JWT",
  approle: "AppRole",
  radius: "RADIUS",
  okta: "Okta",
};

/** What the operators of a namespace list for everybody. */
export async function listed(namespace: string, signal?: AbortSignal): Promise<Method[]> {
  const { data } = await read<{ auth?: Record<string, { type: string; description?: string; options?: Record<string, string> | null }> }>("sys/internal/ui/mounts", {
    token: null,
    namespace,
    signal,
  });
  return Object.entries(data.auth ?? {})
    .filter(([, { type }]) => type in KINDS && type !== "token")
    .map(([path, { type, description }]) => ({ type, mount: path.replace(/\/$/, ""), description: description ?? "" }))
    .sort((one, other) => one.mount.localeCompare(other.mount));
}

/** What the fields of a form hold. */
export type Entered = Record<string, string>;

/** Asks a method that needs one request. */
export function login(method: Method, entered: Entered, namespace: string): Promise<Answer<unknown>> {
  const options = { token: null, namespace };
  const base = `auth/${method.mount}`;
  switch (method.type) {
    case "approle":
      return write(`${base}/login`, { role_id: entered.role_id?.trim(), secret_id: entered.secret_id?.trim() }, options);
    case "jwt":
      return write(`${base}/login`, { role: entered.role?.trim(), jwt: entered.jwt?.trim() }, options);
    default:
      return write(`${base}/login/${(entered.username ?? "").trim()}`, { password: entered.password }, options);
  }
}
