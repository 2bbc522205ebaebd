import { ApiError, read } from "../../api/client";
import { path } from "../../shell/router";

/** A key, as the server describes it; never the key itself. */
export interface Key {
  name: string;
  type: string;
  latest: number;
  minDecryption: number;
  minEncryption: number;
  minAvailable: number;
  /** Seconds; 0 for never. */
  autoRotate: number;
  derived: boolean;
  convergent: boolean;
  exportable: boolean;
  plaintextBackup: boolean;
  deletionAllowed: boolean;
  imported: boolean;
  softDeleted: boolean;
  /** Of HMAC keys, in bytes. */
  size: number | null;
  encrypts: boolean;
  signs: boolean;
  /** Newest first. */
  versions: Version[];
}

/** A version of a key. */
export interface Version {
  number: number;
  created: string | number;
  /** Of pairs. */
  publicKey: string;
  certificate: string;
}

type Raw = Record<string, unknown> & { keys?: Record<string, number | Record<string, string>> };

/** What is known where the server does not name its types. */
export const KNOWN_TYPES = ["aes256-gcm96", "aes128-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "rsa-4096", "hmac"];

export const HASHES = ["sha2-256", "sha2-224", "sha2-384", "sha2-512", "sha3-256", "sha3-224", "sha3-384", "sha3-512"];

/** Reads a key. */
export async function key(mount: string, name: string, signal?: AbortSignal): Promise<Key> {
  const { data } = await read<Raw>(`${mount}/keys/${name}`, { signal });
  return keyOf(data, name);
}

/** The same, or null where the token may use a key and not look at it. */
export const keyIfSeen = (mount: string, name: string, signal?: AbortSignal): Promise<Key | null> =>
  key(mount, name, signal).catch((error) => {
    if (error instanceof ApiError && error.isDenied) return null;
    throw error;
  });

function keyOf(data: Raw, name: string): Key {
  const versions = Object.entries(data.keys ?? {}).map(([number, about]): Version => {
    // Ciphers have the second of their making, pairs have more to tell.
    if (typeof about === "number") return { number: Number(number), created: about * 1_000, publicKey: "", certificate: "" };
    return { number: Number(number), created: about.creation_time ?? "", publicKey: about.public_key ?? "", certificate: about.certificate_chain ?? "" };
  });
  return {
    name,
    type: String(data.type ?? ""),
    latest: Number(data.latest_version ?? 0),
    minDecryption: Number(data.min_decryption_version ?? 1),
    minEncryption: Number(data.min_encryption_version ?? 0),
    minAvailable: Number(data.min_available_version ?? 0),
    autoRotate: Number(data.auto_rotate_period ?? 0),
    derived: Boolean(data.derived),
    convergent: Boolean(data.convergent_encryption),
    exportable: Boolean(data.exportable),
    plaintextBackup: Boolean(data.allow_plaintext_backup),
    deletionAllowed: Boolean(data.deletion_allowed),
    imported: Boolean(data.imported_key),
    softDeleted: Boolean(data.soft_deleted),
    size: data.key_size === undefined ? null : Number(data.key_size),
    encrypts: Boolean(data.supports_encryption),
    signs: Boolean(data.supports_signing),
    versions: versions.sort((one, other) => other.number - one.number),
  };
}

/** Whether a type takes data that is authenticated and not encrypted. */
export const hasAssociatedData = (type: string): boolean => /gcm|poly1305/.test(type);
/** Whether a type can give each context a key of its own. */
export const canDerive = (type: string): boolean => hasAssociatedData(type) || type === "ed25519";
/** Whether a type hashes what it signs by an algorithm that can be chosen. */
export const choosesHash = (type: string): boolean => /^(rsa|ecdsa)/.test(type);

/** The version that made a ciphertext, a signature or a code; null if it is none. */
export const versionOf = (text: string): number | null => {
  const found = /^[\w-]+:v(\d+):/.exec(text.trim());
  return found ? Number(found[1]) : null;
};

/** The place of a mount, or of a part of it. */
export const placeOfMount = (mount: string, tab?: string): string => path("transit", mount) + (tab ? `?tab=${tab}` : "");
/** The place of a key, or of a part of it. */
export const placeOfKey = (mount: string, name: string, tab?: string): string => path("transit", mount, name) + (tab ? `?tab=${tab}` : "");
/** The words that name a mount on the command line; none for the usual one. */
export const mountFlag = (mount: string): string[] => (mount === "transit" ? [] : [`-mount=${mount}`]);
