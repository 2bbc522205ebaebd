import { fieldsOf, parameterOf, saysOld, type FieldInfo } from "./field";
import { resolve, type Document, type Operation, type Path, type Schema } from "./schema";

/** How a path is asked. Lists are a method of their own, although they travel as GET. */
export type Method = "GET" | "LIST" | "POST" | "PATCH" | "DELETE";

/** What one method does at a path. */
export interface OperationInfo {
  method: Method;
  about: string;
  /** What can stand after the `?`. */
  query: FieldInfo[];
  body: FieldInfo[];
  /** The body is an object of the asker's choice. */
  isFree: boolean;
  /** What the fields of the answer are, by their names. */
  answer: Record<string, string>;
  isOld: boolean;
}
/** A path of the API. */
export interface PathInfo {
  /** From its first letter on, with names in braces for what varies: `database/roles/{name}`. */
  path: string;
  about: string;
  /** The parts that vary, in their order. */
  params: FieldInfo[];
  operations: OperationInfo[];
  /** Whether policies have to grant `sudo` besides. */
  needsSudo: boolean;
  /** Whether no token is needed. */
  isOpen: boolean;
  isOld: boolean;
}

/** Which query parameters make a list of a read. */
const LISTS = ["list", "scan"];

/** Every path of a description. */
export function described(document: Document): PathInfo[] {
  const known = kept.get(document);
  if (known) return known;
  const paths = Object.entries(document.paths).map(([path, what]) => pathOf(document, path.replace(/^\//, ""), what));
  kept.set(document, paths);
  return paths;
}

/** What is said of a method at a path. */
export const operationOf = (path: PathInfo | null | undefined, method: Method): OperationInfo | undefined => path?.operations.find((one) => one.method === method);

/** A path with its varying parts filled in. Values may have slashes; what is missing is left empty. */
export function filled({ path, params }: PathInfo, values: Record<string, string>): string {
  // From the end, for a mount may have braces in its own name.
  const open = new Set(params.map(({ name }) => name));
  const segments = path.split("/").reverse();
  const done = segments.map((segment) => {
    const name = nameIn(segment);
    return name !== null && open.delete(name) ? (values[name] ?? "") : segment;
  });
  return done.reverse().join("/");
}

/** The name in `{name}`; null if it is a word. */
export const nameIn = (segment: string): string | null => (segment.startsWith("{") && segment.endsWith("}") ? segment.slice(1, -1) : null);

const kept = new WeakMap<Document, PathInfo[]>();

function pathOf(document: Document, path: string, what: Path): PathInfo {
  const about = what.description ?? "";
  return {
    path,
    about,
    params: (what.parameters ?? []).filter((one) => one.in === "path").map((one) => parameterOf(document, one)),
    operations: [...gets(document, what.get), ...one(document, "POST", what.post), ...one(document, "PATCH", what.patch), ...one(document, "DELETE", what.delete)],
    needsSudo: what["x-vault-sudo"] ?? false,
    isOpen: what["x-vault-unauthenticated"] ?? false,
    isOld: saysOld(about),
  };
}

/** A read, a list, or both. */
function gets(document: Document, operation: Operation | undefined): OperationInfo[] {
  const [found] = one(document, "GET", operation);
  if (!found) return [];
  const listing = found.query.filter(({ name }) => LISTS.includes(name));
  const query = found.query.filter(({ name }) => !LISTS.includes(name));
  if (listing.length === 0) return [found];
  const isOnlyList = listing.some(({ isRequired }) => isRequired);
  const list: OperationInfo = { ...found, method: "LIST", query: query.filter(({ name }) => isOnlyList || ["after", "limit"].includes(name)) };
  return isOnlyList ? [list] : [{ ...found, query: query.filter(({ name }) => !["after", "limit"].includes(name)) }, list];
}

function one(document: Document, method: Method, operation: Operation | undefined): OperationInfo[] {
  if (!operation) return [];
  const body = resolve(document, schemaOf(operation.requestBody?.content));
  const answer = resolve(document, Object.entries(operation.responses ?? {}).map(([, { content }]) => schemaOf(content)).find(Boolean));
  const about = operation.summary ?? operation.description ?? "";
  return [
    {
      method,
      about: about.replace(/\s+/g, " "),
      query: (operation.parameters ?? []).filter((one) => one.in === "query").map((one) => parameterOf(document, one)),
      body: fieldsOf(document, body),
      isFree: body !== undefined && !body.properties && Boolean(body.additionalProperties),
      answer: Object.fromEntries(fieldsOf(document, answer).map(({ name, about }) => [name, about])),
      isOld: operation.deprecated ?? false,
    },
  ];
}

const schemaOf = (content: Record<string, { schema?: Schema }> | undefined): Schema | undefined => Object.values(content ?? {})[0]?.schema;
