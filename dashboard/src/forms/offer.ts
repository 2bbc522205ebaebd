import { filled, nameIn, operationOf, type PathInfo } from "./description";
import type { FieldInfo } from "./field";

/** Things of one sort: users, roles, keys … */
export interface Collection {
  /** Where they are listed. */
  list: PathInfo;
  /** Where one of them is; null where the server has no path for that. */
  entry: PathInfo | null;
  /** The names have folders: the entry's own path lists what is in one. */
  isTree: boolean;
}
/** What a mount offers. */
export interface Offer {
  /** Where it is: `database`, `team/a/transit`, `auth/userpass`, `sys`. */
  base: string;
  paths: PathInfo[];
  /** Every sort of things, those that belong to one of another sort as well. */
  sorts: Collection[];
  /** Sorts that are listed without naming anything first. */
  collections: Collection[];
  /** What there is one of, to be read and changed. */
  settings: PathInfo[];
  /** Everything else that is not about one thing of a collection alone. */
  actions: PathInfo[];
}

/** What a mount offers, out of its paths. */
export function offerIn(base: string, all: PathInfo[]): Offer {
  const paths = all.filter(({ path }) => path !== `${base}/`);
  const sorts = collectionsIn(base, paths);
  const entries = sorts.flatMap(({ entry }) => entry ?? []);
  const isWithin = ({ path }: PathInfo) => entries.some((entry) => path === entry.path || path.startsWith(`${entry.path}/`));
  const settings = paths.filter((one) => one.params.length === 0 && isSetting(one));
  const open = sorts.filter(({ list, entry }) => list.params.length === (list === entry ? 1 : 0) && !list.isOld);
  const isListed = (one: PathInfo) => open.some(({ list }) => list === one);
  return {
    base,
    paths,
    sorts,
    collections: open,
    settings: settings.filter(({ isOld }) => !isOld),
    actions: paths.filter((one) => !isWithin(one) && !settings.includes(one) && !isListed(one) && !one.isOld),
  };
}

/** Whether what is read there is what was written: something to be kept, rather than asked or done. */
export function isSetting(path: PathInfo): boolean {
  const written = operationOf(path, "POST")?.body ?? [];
  const read = operationOf(path, "GET");
  return read !== undefined && written.length > 0 && (/(^|\/|-)config(\/|$)/.test(path.path) || written.some(({ name }) => name in read.answer));
}

/** A path without the mount's own. */
export const below = ({ base }: Offer, { path }: PathInfo): string => path.slice(base.length + 1);

/** What there is besides at one thing: lists, settings and actions of its own. */
export const within = ({ paths }: Offer, entry: PathInfo): PathInfo[] => paths.filter(({ path, isOld }) => path.startsWith(`${entry.path}/`) && !isOld);

/** The collection that a path is an entry of. */
export const collectionOf = ({ sorts }: Offer, entry: PathInfo): Collection | undefined => sorts.find((one) => one.entry === entry);

/** The collection that a path lists. */
export const listedAt = ({ sorts }: Offer, list: PathInfo): Collection | undefined => sorts.find((one) => one.list === list);

/** Where the names are listed that can stand for a part of a path; null if nothing tells. `values` are the parts before it. */
export function choicesOf(offer: Offer, path: PathInfo, param: FieldInfo, values: Record<string, string>): string | null {
  const segments = path.path.split("/");
  // A mount may have braces in its own name.
  const at = segments.lastIndexOf(`{${param.name}}`);
  const parent = offer.paths.find((one) => one.path === segments.slice(0, at).join("/") && operationOf(one, "LIST"));
  if (parent) return parent.params.every(({ name }) => values[name]) ? filled(parent, values) : null;
  const found = nearest(offer, path, param);
  return found && found.list !== found.entry ? found.list.path : null;
}

/** What else a thing of a collection is good for: actions elsewhere in the mount that take its name. */
export function usesOf(offer: Offer, collection: Collection): { path: PathInfo; param: FieldInfo }[] {
  return offer.actions.flatMap((path) => {
    const [param] = path.params;
    return param && path.params.length === 1 && nearest(offer, path, param) === collection ? [{ path, param }] : [];
  });
}

/** The collection that a part of a path most likely names one of, by the words about it. */
function nearest(offer: Offer, path: PathInfo, param: FieldInfo): Collection | null {
  const words = wordsOf(`${param.name} ${param.about}`);
  const first = wordsOf(below(offer, path).split("/")[0] ?? "");
  let best: { points: number; collection: Collection } | null = null;
  for (const collection of offer.collections) {
    const name = wordsOf(below(offer, collection.list).split("/").filter((segment) => nameIn(segment) === null).join(" "));
    // "static-creds" takes a name out of "static-roles": the same word before, and the sort in the words about it.
    const points = name.filter((word) => words.some((other) => alike(word, other))).length * 2 + name.filter((word) => first.some((other) => alike(word, other))).length - name.length;
    if (points > 0 && points > (best?.points ?? 0)) best = { points, collection };
  }
  return best?.collection ?? null;
}

/** "Roles" and "role", "configuration" and "config". */
const alike = (one: string, other: string): boolean => one === other || (Math.min(one.length, other.length) > 2 && (one.startsWith(other) || other.startsWith(one)));
const wordsOf = (text: string): string[] => text.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);

function collectionsIn(base: string, paths: PathInfo[]): Collection[] {
  const lists = paths.filter((one) => operationOf(one, "LIST") && one.path !== base);
  const found = lists.map((list): Collection => {
    const entry = isNamed(list) && operationOf(list, "GET") ? list : entryOf(list, paths);
    return { list, entry, isTree: entry !== null && operationOf(entry, "LIST") !== undefined };
  });
  // Of several lists of the same things (`role` and `roles`, `acl` and `acl/{name}`) the one that entries are below is enough.
  const isBetter = (one: Collection, other: Collection) => one.entry === other.entry && one !== other && directlyBelow(other.list.path, other.entry?.path ?? "");
  return found.filter((one) => !one.entry || directlyBelow(one.list.path, one.entry.path) || !found.some((other) => isBetter(one, other)));
}

/** Where one of those is that a path lists: below it, or below its name for one alone (`certs`, `cert/{serial}`). */
function entryOf(list: PathInfo, paths: PathInfo[]): PathInfo | null {
  const at = (parent: string) => paths.find(({ path, isOld }) => directlyBelow(parent, path) && !isOld);
  return at(list.path) ?? at(list.path.replace(/s$/, "")) ?? null;
}

const isNamed = ({ path }: PathInfo): boolean => nameIn(path.split("/").pop() ?? "") !== null;
const directlyBelow = (parent: string, path: string): boolean => path.startsWith(`${parent}/`) && nameIn(path.slice(parent.length + 1)) !== null;
