import type { May } from "../../session/may";
import type { Key } from "./transit";

const VERBS = ["encrypt", "decrypt", "rewrap", "sign", "verify", "hmac", "datakey/plaintext", "datakey/wrapped"];

/** The paths that say what a token may do with a key. */
export const pathsOf = (mount: string, name: string): string[] => [
  ...VERBS.map((verb) => `${mount}/${verb}/${name}`),
  ...["", "/rotate", "/config", "/trim", "/soft-delete", "/soft-delete-restore"].map((more) => `${mount}/keys/${name}${more}`),
];

/** Whether a token may send something to a path. */
export const maySend = (may: May, path: string): boolean => may(path, "update", "create");

/** What can be tried with a key: what fits its type and what the token may. Where the key is not known, the rights decide. */
export function tryouts(mount: string, name: string, key: Key | null, may: May): { id: string; title: string }[] {
  const can = (verb: string) => maySend(may, `${mount}/${verb}/${name}`);
  const all = [
    { id: "encrypt", title: "Encrypt and decrypt", fits: !key || key.encrypts, granted: can("encrypt") || can("decrypt") },
    { id: "rewrap", title: "Rewrap", fits: !key || key.encrypts, granted: can("rewrap") },
    { id: "datakey", title: "Data key", fits: !key || key.encrypts, granted: can("datakey/plaintext") || can("datakey/wrapped") },
    { id: "sign", title: "Sign and verify", fits: !key || key.signs, granted: can("sign") || can("verify") },
    { id: "hmac", title: "HMAC", fits: true, granted: can("hmac") || can("verify") },
  ];
  return all.filter(({ fits, granted }) => fits && granted);
}
