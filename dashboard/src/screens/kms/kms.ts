import { ApiError, read } from "../../api/client";
import { path } from "../../shell/router";

/** A master key, as the server describes it; never its material. */
export interface MasterKey {
  key_id: string;
  description: string;
  key_spec: string;
  key_usage: Usage;
  key_state: State;
  origin: "AWS_KMS" | "EXTERNAL";
  creation_date: string;
  deletion_date?: string;
  valid_to?: string;
  expiration_model?: string;
  encryption_algorithms?: string[];
  signing_algorithms?: string[];
  mac_algorithms?: string[];
  current_key_material_id?: string;
}

export type Usage = "ENCRYPT_DECRYPT" | "SIGN_VERIFY" | "GENERATE_VERIFY_MAC";
export type State = "Enabled" | "Disabled" | "PendingDeletion" | "PendingImport" | "Unavailable";

/** A line of the list. */
export interface Listed {
  id: string;
  description: string;
  key_spec: string;
  key_usage: Usage;
  key_state: State;
  aliases: string[];
}

/** What is known where the server does not name its kinds. */
export const KNOWN_SPECS = ["SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_NIST_EDWARDS25519", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"];

/** The words for what a key is for. */
export const USAGES: Record<Usage, string> = { ENCRYPT_DECRYPT: "encrypts", SIGN_VERIFY: "signs", GENERATE_VERIFY_MAC: "makes MACs" };
/** The words for the states of a key. */
export const STATES: Record<State, { word: string; tone: "good" | "warn" | "bad" }> = {
  Enabled: { word: "enabled", tone: "good" },
  Disabled: { word: "disabled", tone: "warn" },
  PendingDeletion: { word: "to be deleted", tone: "bad" },
  PendingImport: { word: "waits for its material", tone: "warn" },
  Unavailable: { word: "unavailable", tone: "warn" },
};

/** What a key of a kind can be for; the first is the usual one. */
export function usagesOf(spec: string): Usage[] {
  if (spec === "SYMMETRIC_DEFAULT") return ["ENCRYPT_DECRYPT"];
  if (spec.startsWith("RSA")) return ["ENCRYPT_DECRYPT", "SIGN_VERIFY"];
  return spec.startsWith("HMAC") ? ["GENERATE_VERIFY_MAC"] : ["SIGN_VERIFY"];
}

/** Whether a key is symmetric: such keys rotate, and make data keys. */
export const isSymmetric = ({ key_spec }: Pick<MasterKey, "key_spec">): boolean => key_spec === "SYMMETRIC_DEFAULT";

const PAGE = 100;

/** One page of the keys. */
export async function keys(mount: string, marker: string, signal?: AbortSignal): Promise<{ keys: Listed[]; next: string }> {
  const query = { list: true, limit: PAGE, ...(marker ? { marker } : {}) };
  const { data } = await read<{ keys: string[]; key_info: Record<string, Omit<Listed, "id">>; next_marker?: string }>(`${mount}/keys`, { query, signal });
  return { keys: data.keys.map((id) => ({ id, ...data.key_info[id]! })), next: data.next_marker ?? "" };
}

/** A key by its id or `alias:NAME`, or null where the token may use it and not look at it. */
export async function keyIfSeen(mount: string, key: string, signal?: AbortSignal): Promise<MasterKey | null> {
  try {
    return (await read<MasterKey>(`${mount}/keys/${key}`, { signal })).data;
  } catch (error) {
    if (error instanceof ApiError && error.isDenied) return null;
    throw error;
  }
}

/** The names that stand for a key, as `alias/team/app`. */
export async function aliasesOf(mount: string, key: string, signal?: AbortSignal): Promise<string[]> {
  const { data } = await read<{ aliases: { alias_name: string }[] }>(`${mount}/aliases`, { query: { list: true, key_id: key }, signal });
  return data.aliases.map(({ alias_name }) => alias_name).sort();
}

/** What stands for an alias in a path: `alias/team/app` is `team:app`. */
export const segmentOf = (alias: string): string => alias.replace(/^alias\//, "").replaceAll("/", ":");
/** What stands for a key that was typed: an id as it is, `alias/team/app` as `alias:team:app`. */
export const keySegment = (typed: string): string => (/^alias[/:]/.test(typed) ? `alias:${segmentOf(typed.replace(/^alias:/, ""))}` : typed);
/** How the command line names the key of a path: `alias:team:app` is `alias/team/app`. */
export const keyWord = (key: string): string => (key.startsWith("alias:") ? `alias/${key.slice("alias:".length).replaceAll(":", "/")}` : key);

/** The place of a mount, or of a part of it. */
export const placeOfMount = (mount: string, tab?: string): string => path("kms", mount) + (tab ? `?tab=${tab}` : "");
/** The place of a key, or of a part of it. */
export const placeOfKey = (mount: string, key: string, tab?: string): string => path("kms", mount, key) + (tab ? `?tab=${tab}` : "");
/** The words that name a mount on the command line; none for the usual one. */
export const mountFlag = (mount: string): string[] => (mount === "kms" ? [] : [`-mount=${mount}`]);
