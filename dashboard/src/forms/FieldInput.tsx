import type { JSX } from "preact";
import { Button, Check, Field, Select } from "../ui";
import { isDuration, isList, isPairs, type FieldInfo } from "./field";
import { ListInput } from "./ListInput";
import { isSecretName } from "./secrets";
import { SecretText } from "./SecretText";
import type { Value } from "./values";
import { Words } from "./Words";

interface Props {
  field: FieldInfo;
  value: Value;
  onInput: (value: Value) => void;
  wrong?: string | false;
  /** Values that can be chosen, besides what the description names. */
  choices?: string[];
  disabled?: boolean;
  /** Part of a path: what is in it is no secret. */
  inPath?: boolean;
}

const LONG = /pem|certificate$|certificates$|^csr$|_key$|_keys$|rules|^policy$|policy_document|pubkeys|bundle|(^|_)ca(_cert|_chain)?$/;
const STATEMENTS = /statements?$|_sql$|certificates?$|pem|_keys$/;

/** An input for a field that the server describes. */
export function FieldInput({ field, value, onInput, wrong = false, choices = [], disabled, inPath }: Props): JSX.Element {
  const { name: label, about } = field;
  if (Array.isArray(value)) return <ListInput label={label} values={value} onInput={onInput} hint={about && <Words text={about} />} wrong={wrong} disabled={disabled} long={STATEMENTS.test(label)} />;
  if (typeof value === "boolean") return <Check label={<code>{label}</code>} hint={about && <Words text={about} />} checked={value} onInput={onInput} disabled={disabled} />;
  const common = { label, value, onInput, wrong, disabled, hint: <Words text={hintOf(field)} /> };
  if (field.type === "boolean") return <Select {...common} options={[{ value: "", label: "as by default" }, { value: "true", label: "yes" }, { value: "false", label: "no" }]} />;
  if (field.choices.length > 0) return <Select {...common} options={[...(field.choices.includes(value) ? [] : [{ value, label: value || "–" }]), ...field.choices]} />;
  const text = field.type === "string" && !inPath;
  if (text && field.format === "byte") return <Bytes {...common} covered={isSecretName(label)} />;
  if (text && isSecretName(label)) return /_key$|pem/.test(label) ? <SecretText {...common} /> : <Field {...common} type="password" mono autoComplete="new-password" required={field.isRequired} />;
  if (isLong(field, value) && !inPath) return <Field {...common} type="textarea" mono rows={Math.min(12, Math.max(3, value.split("\n").length))} />;
  const all = [...new Set([...choices, ...field.suggested])];
  return <Field {...common} mono choices={all.length > 0 ? all : undefined} inputMode={["integer", "number"].includes(field.type) && !isDuration(field) ? "numeric" : undefined} required={field.isRequired} />;
}

/** Whether an input for it wants the whole width. */
export function isWide(field: FieldInfo): boolean {
  if (isList(field)) return STATEMENTS.test(field.name);
  return !isPairs(field) && (field.format === "byte" || isLong(field, "") || (isSecretName(field.name) && /_key$|pem/.test(field.name)));
}

const isLong = (field: FieldInfo, value: string): boolean => ["object", "array", "any"].includes(field.type) || value.includes("\n") || (field.type === "string" && LONG.test(field.name) && !isSecretName(field.name));

/** Base64, made by hand or out of a text. */
function Bytes({ value, onInput, covered, ...more }: { label: string; value: string; covered: boolean; onInput: (value: string) => void; hint: JSX.Element; wrong?: string | false; disabled?: boolean }): JSX.Element {
  return (
    <div class="stack tight">
      {covered ? <SecretText {...more} value={value} onInput={onInput} /> : <Field {...more} type="textarea" mono rows={3} value={value} onInput={onInput} />}
      <div class="row">
        <Button size="small" disabled={more.disabled || value === ""} onClick={() => onInput(base64(value))}>
          Turn this text into base64
        </Button>
      </div>
    </div>
  );
}

function base64(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

function hintOf(field: FieldInfo): string {
  const form = isDuration(field)
    ? "Like 30m, 1h or 7d."
    : isPairs(field)
      ? "One name=value a line."
      : field.format === "date-time"
        ? "Like 2030-01-31T12:00:00Z."
        : field.type === "object" || field.type === "array"
          ? "As JSON."
          : "";
  return [field.about, form].filter(Boolean).join(" ");
}
