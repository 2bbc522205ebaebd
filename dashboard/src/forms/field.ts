import { resolve, type Document, type Parameter, type Schema } from "./schema";

/** A field of a request, or a part of its path. */
export interface FieldInfo {
  name: string;
  about: string;
  type: "string" | "boolean" | "integer" | "number" | "array" | "object" | "any";
  /** What is in an array. */
  items: "string" | "integer" | "other";
  format: string;
  /** What it is if nothing is said. */
  initial: unknown;
  /** The only values that it can have. */
  choices: string[];
  /** Values that its words name. */
  suggested: string[];
  isRequired: boolean;
  /** There is a newer name or way. */
  isOld: boolean;
}

const TYPES = ["boolean", "integer", "number", "array", "object", "string"] as const;
const LIST_OF_WORDS = /^((`[^`]+`)(, | or |, or )?){2,}[.:;]?/;
const OLD = /^The old(est)? name of|^Not supported|; use [a-z-]+\.$|\(the old (path|name)\)|^Deprecated|^Must not be given|^Must be false|^Not looked at|^Accepted for compatibility/i;
const DURATION_NAME = /(^|_)ttls?$/;

/** The fields of an object. */
export function fieldsOf(document: Document, schema: Schema | undefined): FieldInfo[] {
  const whole = resolve(document, schema);
  return Object.entries(whole?.properties ?? {}).map(([name, raw]) => fieldOf(document, name, raw, whole?.required?.includes(name) ?? false));
}

/** A parameter as a field. */
export const parameterOf = (document: Document, { name, description, required, schema }: Parameter): FieldInfo =>
  fieldOf(document, name, { ...resolve(document, schema), ...(description ? { description } : {}) }, required ?? false);

/** Whether words say that there is a newer way. */
export const saysOld = (about: string): boolean => OLD.test(about);

/** Whether it is a length of time: seconds, or words like 1h. */
export const isDuration = ({ format, name, type }: FieldInfo): boolean => ["seconds", "duration"].includes(format) || (type === "string" && DURATION_NAME.test(name));

/** Whether it is pairs of texts. */
export const isPairs = ({ type, format }: FieldInfo): boolean => type === "object" && format === "kvpairs";

/** Whether it takes several plain values. */
export const isList = ({ type, items }: FieldInfo): boolean => type === "array" && items !== "other";

function fieldOf(document: Document, name: string, raw: Schema, isRequired: boolean): FieldInfo {
  const schema = resolve(document, raw) ?? {};
  const about = (raw.description ?? schema.description ?? "").replace(/\s+/g, " ").trim();
  const types = [schema.type ?? []].flat();
  const type = TYPES.find((one) => types.includes(one)) ?? (schema.format ? "string" : "any");
  const inside = resolve(document, schema.items)?.type;
  return {
    name,
    about,
    type,
    items: inside === "integer" ? "integer" : inside === "string" || inside === undefined ? "string" : "other",
    format: schema.format ?? "",
    initial: schema.default ?? undefined,
    choices: (schema.enum ?? []).map(String),
    suggested: suggestedBy(about),
    isRequired,
    isOld: Boolean(schema.deprecated ?? raw.deprecated) || saysOld(about),
  };
}

/** "`a`, `b` or `c`." names all that can be there. */
function suggestedBy(about: string): string[] {
  const listed = LIST_OF_WORDS.exec(about)?.[0] ?? "";
  return [...listed.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
}
