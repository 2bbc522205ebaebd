// JSON without loss. JavaScript's numbers can not hold every number of JSON (18446744073709551615, 1.10), and what is typed, or read,
// edited and written again, must not change where nobody changed it. Numbers that would not survive travel as marked strings.

/** An object of JSON. */
export type Fields = Record<string, unknown>;

// Chosen anew by each page, so that no stored text can be taken for one.
const MARK = `number-${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}:`;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = new RegExp(`"${MARK}([^"]*)"`, "g");

/** Reads JSON. */
export function parse(text: string): unknown {
  // What is no JSON is refused in its own words, before there are marks in it.
  JSON.parse(text);
  return JSON.parse(text.replace(TOKENS, (token) => (token.startsWith('"') || String(Number(token)) === token ? token : `"${MARK}${token}"`)));
}

/** Writes JSON: on one line, or for people. */
export const print = (value: unknown, pretty = true): string => (JSON.stringify(value, null, pretty ? 2 : undefined) ?? "null").replace(MARKED, "$1");

/** Whether two values are the same, whatever the order of their keys. */
export const isSame = (one: unknown, other: unknown): boolean => print(sorted(one), false) === print(sorted(other), false);

/** Whether a value is a text, and no marked number. */
export const isText = (value: unknown): value is string => typeof value === "string" && !value.startsWith(MARK);

/** Whether a value is a number, marked or not. */
export const isNumber = (value: unknown): boolean => typeof value === "number" || (typeof value === "string" && !isText(value));

/** A value as one would type it: texts as they are, everything else as JSON. */
export const shown = (value: unknown, pretty = true): string => (isText(value) ? value : print(value, pretty));

/** Reads JSON that has to be an object; `wrong` says in words why it is not. */
export function parseFields(text: string): { value?: Fields; wrong: string | null } {
  try {
    const value = parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { wrong: "It has to be an object: { … }" };
    return { value: value as Fields, wrong: null };
  } catch (error) {
    return { wrong: `It is no JSON yet: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** All keys in order, so that two texts can be compared line by line. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
