import type { JSX } from "preact";
import { Check, Field } from "../../ui";
import type { FieldInfo } from "./description";
import { splitNames } from "./names";

/** What the inputs hold. */
export type Values = Record<string, string | boolean>;

const SECRET = /password|secret|private|passphrase/;
const MEANT = /_ttl$|_ttls$/;

/** An input for a field that the server describes. */
export function FieldInput({ field, value, onInput, disabled }: { field: FieldInfo; value: string | boolean; onInput: (value: string | boolean) => void; disabled?: boolean }): JSX.Element {
  const label = field.name;
  if (field.type === "boolean") return <Check label={<code>{label}</code>} hint={field.about} checked={Boolean(value)} onInput={onInput} disabled={disabled} />;
  const text = String(value);
  const long = field.type === "object" || text.includes("\n") || /pem|certificate|rules|policy_document|pubkeys/.test(field.name);
  const hint = [field.about, field.type === "array" ? "Separated by commas." : "", field.type === "object" ? "JSON." : "", field.isDuration || MEANT.test(field.name) ? "Like 30m, 1h or 7d." : ""].filter(Boolean).join(" ");
  return <Field label={label} type={SECRET.test(field.name) && field.type === "string" ? "password" : long ? "textarea" : "text"} mono value={text} onInput={onInput} hint={hint} disabled={disabled} autoComplete={SECRET.test(field.name) ? "new-password" : "off"} />;
}

/** A kept value as an input shows it. */
export function shown(field: FieldInfo, value: unknown): string | boolean {
  if (field.type === "boolean") return Boolean(value);
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") return JSON.stringify(value, null, 2);
  if (value === 0 && field.isDuration) return "";
  return String(value);
}

/** The fields that were changed, as the request has them; `wrong` says what can not be read. */
export function changed(fields: FieldInfo[], values: Values, first: Values): { body: Record<string, unknown>; wrong: string | null } {
  const body: Record<string, unknown> = {};
  let wrong: string | null = null;
  for (const { name, type } of fields) {
    const value = values[name];
    if (value === first[name] || value === undefined) continue;
    if (typeof value === "boolean") body[name] = value;
    else if (type === "array") body[name] = splitNames(value);
    else if (type === "object") {
      try {
        body[name] = value.trim() ? JSON.parse(value) : {};
      } catch {
        wrong = `${name} is no JSON yet`;
      }
    } else body[name] = value;
  }
  return { body, wrong };
}
