import { ApiError } from "../../api/client";
import { sentence } from "../../ui";
import type { Method } from "./methods";

/** Why a sign-in was refused, and what to do. */
export function refusalWords(reason: unknown, method: Method, namespace: string): string {
  const said = sentence(reason instanceof Error ? reason.message : String(reason)).replace(/\.$/, "");
  if (!(reason instanceof ApiError)) return `${said}.`;
  switch (reason.status) {
    case 0:
      return "The server can not be reached. Look whether it runs and whether this machine reaches it, then try again.";
    case 400:
      return `${said}. ${toDo(method)}`.trimEnd();
    case 403:
      return method.type === "token"
        ? "The server does not know this token: it was mistyped, has ended or was revoked. (Or no policy lets it look at itself: read on auth/token/lookup-self.)"
        : `${said}. Nothing may be mounted at auth/${method.mount}/ ${namespace ? `in the namespace ${namespace}` : "in the root namespace"}, or the account is locked after too many wrong attempts: look at the path and the namespace, or wait a while.`;
    case 429:
      return "Too many attempts for now. Wait a moment, then try again.";
    default:
      return `${said}.`;
  }
}

function toDo({ type }: Method): string {
  switch (type) {
    case "userpass":
    case "ldap":
    case "radius":
      return "Type both again. After several wrong attempts an account is locked for a while; whoever keeps the accounts can set a new password.";
    case "approle":
      return "Secret IDs end or are used up: make a new one for the role, then try again.";
    case "jwt":
      return "Look at the role, and whether the token is meant for this server and has not ended.";
    default:
      return "";
  }
}
