import { capabilities, type Capability } from "../session";
import { grants } from "../session/capabilities";
import { rulesOfToken, type Rule, type Rules } from "../session/rules";
import { filled, nameIn, type Method, type PathInfo } from "./description";
import { NEEDS } from "./useRefused";

/** Whether the token may do something at a path, or at some path of that form. */
export type Granted = (path: PathInfo, method: Method) => boolean;

const BATCH = 500;
/** Stands for a name that nobody knows yet. */
const SOME = "some-name";

/** What the token may do at paths: asked for those that are whole, and by its rules for those with parts that vary. */
export async function grantedAt(paths: PathInfo[]): Promise<Granted> {
  const samples = [...new Set(paths.flatMap((path) => samplesOf(path)))];
  const vary = paths.some(({ params }) => params.length > 0);
  const [rules, ...parts] = await Promise.all([vary ? rulesOfToken() : null, ...batches(samples).map((batch) => capabilities(batch))]);
  const known: Record<string, Capability[] | undefined> = Object.assign({}, ...parts);
  return (path, method) => {
    if (path.isOpen || rules?.root) return true;
    const needs = NEEDS[method].map((one): Capability[] => (path.needsSudo ? [one, "sudo"] : [one]));
    const covers = (all: Capability[]) => !all.includes("deny") && needs.some((wanted) => wanted.every((one) => grants(all, one)));
    // Where the server does not say whoever wants may try.
    return samplesOf(path).some((sample) => !known[sample]?.length || covers(known[sample])) || (path.params.length > 0 && rulesFor(path, rules).some(covers));
  };
}

/** A list's path has a slash at its end for some rules, and none for others. */
function samplesOf(path: PathInfo): string[] {
  const names = Object.fromEntries(path.params.map(({ name }) => [name, SOME]));
  const whole = filled(path, names);
  return path.operations.some(({ method }) => method === "LIST") ? [whole, `${whole}/`] : [whole];
}

/** The rules that could be about a path of that form. */
function rulesFor({ path, params }: PathInfo, rules: Rules | null): Capability[][] {
  const names = new Set(params.map(({ name }) => name));
  const wanted = path.split("/").map((segment) => (names.has(nameIn(segment) ?? "") ? null : segment));
  const fits = (rule: string, isPrefix: boolean) => {
    const given = rule.split("/");
    // The last part of a path may have slashes in it.
    if (!isPrefix && given.length < wanted.length) return false;
    return given.every((word, index) => {
      const own = index < wanted.length ? wanted[index] : wanted[wanted.length - 1];
      if (own === null || own === undefined) return own === null;
      return isPrefix && index === given.length - 1 ? own.startsWith(word) : own === word;
    });
  };
  const of = (listed: Record<string, Rule> | undefined, isPrefix: boolean) => Object.entries(listed ?? {}).flatMap(([rule, { capabilities }]) => (fits(rule, isPrefix) ? [capabilities] : []));
  return [...of(rules?.exact_paths, false), ...of(rules?.glob_paths, true)];
}

function batches(all: string[]): string[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH) }, (_, index) => all.slice(index * BATCH, (index + 1) * BATCH));
}
