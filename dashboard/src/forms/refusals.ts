import { ApiError } from "../api/client";
import { sentence } from "../ui/Toast";

const NAMED = /\bfield "([^"]+)"(?: of [^:]+)?:?\s*(.*)/;

/** What a refusal says, by the fields that it names; the rest is about the whole. */
export function refusals(error: unknown, names: string[]): { fields: Record<string, string>; whole: string | null } {
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const said of error instanceof ApiError && error.errors.length > 0 ? error.errors : [error instanceof Error ? error.message : String(error)]) {
    const name = fieldIn(said, names);
    if (name) fields[name] = sentence(NAMED.exec(said)?.[2] || said);
    else rest.push(isNoName(error, said) ? "The server takes no such name" : sentence(said));
  }
  return { fields, whole: rest.length > 0 ? rest.join(". ") : null };
}

/** No rule of a path fits: what is left of it to a person is the name at its end. */
const isNoName = (error: unknown, said: string): boolean => error instanceof ApiError && error.isMissing && said.includes("unsupported path");

/** The field that words name: as the server does, or else the only one whose name begins them. */
function fieldIn(said: string, names: string[]): string | null {
  const named = NAMED.exec(said)?.[1]?.split(/[.[]/)[0];
  if (named && names.includes(named)) return named;
  const first = /^[`'"]?([a-z][a-z0-9_]*)[`'"]?(?=[\s:])/.exec(said)?.[1];
  return first?.includes("_") && names.includes(first) ? first : null;
}
