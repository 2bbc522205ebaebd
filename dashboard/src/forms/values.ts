import { isText, parse, print, shown as textOf } from "../api/json";
import { exact } from "../ui/exact";
import { isDuration, isList, isPairs, type FieldInfo } from "./field";
import { isSecretName } from "./secrets";

/** What an input holds: text, a box, or several texts. */
export type Value = string | boolean | string[];
/** What the inputs of a form hold, by name. */
export type Values = Record<string, Value>;

/** A kept value, or the one that holds if nothing is said, as an input shows it. */
export function shown(field: FieldInfo, value: unknown): Value {
  if (isList(field)) return value === undefined || value === null ? [] : [value].flat().map((one) => textOf(one, false));
  // Whether nothing was said is not the same as no: without a known value there are three answers.
  if (field.type === "boolean") return typeof value === "boolean" ? value : "";
  if (value === undefined || value === null) return "";
  if (isDuration(field)) return typeof value === "number" ? (value === 0 ? "" : exact(value)) : textOf(value);
  if (isPairs(field)) return linesOf(value as Record<string, unknown>);
  if (typeof value === "object" && isEmpty(value)) return "";
  return textOf(value);
}

/** What inputs show before anybody typed: what is kept, else what holds if nothing is said. */
export const firstOf = (fields: FieldInfo[], kept?: Record<string, unknown> | null): Values =>
  Object.fromEntries(fields.map((field) => [field.name, shown(field, kept ? kept[field.name] : field.initial)]));

/** Whether two values are the same. */
export const same = (one: Value | undefined, other: Value | undefined): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The fields that were changed, as a request has them, and what is wrong with each that can not be sent. */
export function changed(fields: FieldInfo[], values: Values, first: Values): { body: Record<string, unknown>; wrong: Record<string, string> } {
  const body: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined || same(value, first[field.name])) continue;
    try {
      body[field.name] = sent(field, value);
    } catch (error) {
      wrong[field.name] = error instanceof Error ? error.message : String(error);
    }
  }
  return { body, wrong };
}

/** The required fields that nothing was put into. */
export const missing = (fields: FieldInfo[], values: Values): string[] =>
  fields.filter(({ name, isRequired }) => isRequired && (values[name] === undefined || values[name] === "" || same(values[name], []))).map(({ name }) => name);

/** A body without its secrets, for a command that is shown. What people keep under names of their own (`data`, or all of a free body) is secret whatever it is called. */
export const withoutSecrets = (body: Record<string, unknown>, isFree = false): Record<string, unknown> => (isFree ? veiled(body) : Object.fromEntries(Object.entries(body).map(([name, value]) => [name, withoutSecret(name, value)])));

function withoutSecret(name: string, value: unknown): unknown {
  if (name === "data" && typeof value === "object" && value !== null) return Array.isArray(value) ? "…" : veiled(value as Record<string, unknown>);
  return isSecretName(name) && typeof value !== "boolean" ? "…" : value;
}

const veiled = (values: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.keys(values).map((name) => [name, "…"]));

/** A body, without its secrets, as words of the command line. */
export const wordsOf = (body: Record<string, unknown>, isFree = false): string[] => Object.entries(withoutSecrets(body, isFree)).map(([name, value]) => `${name}=${textOf(value, false)}`);

/** `name=value` lines as an object. A line without `=` is a name with nothing. */
export function pairsOf(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    const name = (at < 0 ? line : line.slice(0, at)).trim();
    if (name) pairs[name] = at < 0 ? "" : line.slice(at + 1).trim();
  }
  return pairs;
}

function sent(field: FieldInfo, value: Value): unknown {
  if (Array.isArray(value)) return value.filter((one) => one.trim() !== "").map((one) => (field.items === "integer" ? whole(one) : one));
  if (typeof value === "boolean") return value;
  const text = value.trim();
  if (field.type === "boolean") return text === "" ? null : text === "true";
  if (isDuration(field)) return text === "" ? 0 : text;
  if (isPairs(field)) return pairsSent(text);
  switch (field.type) {
    case "integer":
      return text === "" ? 0 : whole(text);
    case "number":
      return number(text);
    case "object":
    case "array":
      return json(text, field.type);
    case "any":
      return anyOf(value);
    default:
      return value;
  }
}

function whole(text: string): number | string {
  if (!/^-?\d+$/.test(text)) throw new Error("This has to be a whole number.");
  // Past that a number of this language is another one; the server reads texts as well.
  return Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

/** A number as it was typed, down to its last digit. */
function number(text: string): unknown {
  if (!Number.isFinite(Number(text))) throw new Error("This has to be a number.");
  try {
    return parse(text);
  } catch {
    // `.5` and nothing are no JSON.
    return Number(text);
  }
}

function json(text: string, type: "object" | "array"): unknown {
  if (text === "") return type === "array" ? [] : {};
  const value = parsed(text);
  if (Array.isArray(value) !== (type === "array") || typeof value !== "object" || value === null) throw new Error(type === "array" ? "This has to be a list: [ … ]" : "This has to be an object: { … }");
  return value;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`It is no JSON yet: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Pairs as lines; or as JSON, for values with lines of their own. */
export const pairsSent = (text: string): unknown => (text.startsWith("{") ? json(text, "object") : pairsOf(text));

/** Pairs as lines, where lines give back the same; else as JSON. */
export function linesOf(pairs: Record<string, unknown>): string {
  const all = Object.entries(pairs);
  const fits = all.every(([name, value]) => isText(value) && !/[\n\r]/.test(value) && value.trim() === value && name !== "" && name.trim() === name && !/[=\n\r]/.test(name)) && !all[0]?.[0].startsWith("{");
  return fits ? all.map(([name, value]) => `${name}=${String(value)}`).join("\n") : print(pairs);
}

/** Anything goes: JSON where it is some, else the text. */
function anyOf(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
