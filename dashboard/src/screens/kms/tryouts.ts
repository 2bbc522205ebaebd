import type { May } from "../../session/may";
import { isSymmetric, type MasterKey } from "./kms";

const VERBS = ["encrypt", "decrypt", "data-key", "data-key-without-plaintext", "sign", "verify", "mac", "verify-mac"];
const OWN = ["", "/enable", "/disable", "/rotate", "/rotation", "/schedule-deletion", "/cancel-deletion", "/tags"];

/** The paths that say what a token may do with a key. */
export const pathsOf = (mount: string, key: string): string[] => [...VERBS.map((verb) => `${mount}/${verb}/${key}`), ...OWN.map((more) => `${mount}/keys/${key}${more}`)];

/** Whether a token may send something to a path. */
export const maySend = (may: May, path: string): boolean => may(path, "update", "create");

/** What can be tried with a key: what fits it and what the token may. Where the key is not known, the rights decide. */
export function tryouts(mount: string, name: string, key: MasterKey | null, may: May): { id: string; title: string }[] {
  const can = (...verbs: string[]) => verbs.some((verb) => maySend(may, `${mount}/${verb}/${name}`));
  const encrypts = !key || key.key_usage === "ENCRYPT_DECRYPT";
  const all = [
    { id: "encrypt", title: "Encrypt and decrypt", offered: encrypts && can("encrypt", "decrypt") },
    { id: "data-key", title: "Data key", offered: (!key || isSymmetric(key)) && can("data-key", "data-key-without-plaintext") },
    // Which other key it goes to is chosen there, so its right is asked for there.
    { id: "re-encrypt", title: "Re-encrypt", offered: Boolean(key) && encrypts },
    { id: "sign", title: "Sign and verify", offered: (!key || key.key_usage === "SIGN_VERIFY") && can("sign", "verify") },
    { id: "mac", title: "MAC", offered: (!key || key.key_usage === "GENERATE_VERIFY_MAC") && can("mac", "verify-mac") },
  ];
  return all.filter(({ offered }) => offered);
}
