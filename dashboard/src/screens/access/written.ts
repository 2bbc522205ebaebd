import { linesOf, pairsSent } from "../../forms/values";
import { splitNames } from "./names";

/** What of an entity or group can be written, as the server gives it. */
export interface Kept {
  name: string;
  policies: string[] | null;
  metadata: Record<string, string> | null;
  disabled?: boolean;
  member_entity_ids?: string[] | null;
  member_group_ids?: string[] | null;
}
/** The same, as inputs hold it. */
export interface Written {
  name: string;
  policies: string;
  metadata: string;
  disabled: boolean;
  member_entity_ids: string;
  member_group_ids: string;
}
/** Fields of an entity or group. */
export type Part = keyof Written;

/** What inputs show of what is kept. */
export const writtenOf = (kept: Kept): Written => ({
  name: kept.name,
  policies: (kept.policies ?? []).join(", "),
  metadata: linesOf(kept.metadata ?? {}),
  disabled: kept.disabled ?? false,
  member_entity_ids: (kept.member_entity_ids ?? []).join("\n"),
  member_group_ids: (kept.member_group_ids ?? []).join("\n"),
});

/** The fields that differ. */
export const changedIn = (form: Written, first: Written): Part[] => (Object.keys(first) as Part[]).filter((part) => form[part] !== first[part]);

/** The fields that were changed, as a request has them: what it does not name stays as it is. `wrong` says why metadata can not be sent yet. */
export function bodyOf(form: Written, first: Written): { body: Record<string, unknown>; wrong: string | null } {
  const body: Record<string, unknown> = {};
  let wrong: string | null = null;
  for (const part of changedIn(form, first)) {
    try {
      body[part] = sent(part, form);
    } catch (error) {
      wrong = error instanceof Error ? error.message : String(error);
    }
  }
  return { body, wrong };
}

/** The fields that were changed here and, since they were read, by somebody else into something else. */
export const clashesOf = (form: Written, first: Written, now: Written): Part[] => changedIn(form, first).filter((part) => now[part] !== first[part] && now[part] !== form[part]);

/**
 * The form after something else was read: fields that nobody changed here have what is there now. One that both changed stays as it was
 * typed, and what it began with as well, so that saving still finds the clash.
 */
export function rebased(form: Written, first: Written, now: Written): { form: Written; first: Written } {
  const kept = (parts: Part[]) => Object.fromEntries(parts.map((part) => [part, form[part]]));
  const begun = Object.fromEntries(clashesOf(form, first, now).map((part) => [part, first[part]]));
  return { form: { ...now, ...kept(changedIn(form, first)) }, first: { ...now, ...begun } };
}

/** A body as words of the command line, which takes a text that begins with `@` for a file's name. */
export const wordsOf = (body: Record<string, unknown>): string[] => Object.entries(body).map(([name, value]) => `${name}=${wordOf(value).replace(/^@/, "\\@")}`);

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function sent(part: Part, form: Written): unknown {
  switch (part) {
    case "name":
      return form.name.trim();
    case "metadata":
      return pairsSent(form.metadata.trim());
    case "disabled":
      return form.disabled;
    default:
      return splitNames(form[part]);
  }
}
