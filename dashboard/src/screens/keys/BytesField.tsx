import type { JSX } from "preact";
import { Field } from "../../ui";
import { base64Of, type Typed } from "./bytes";

interface Props {
  label: string;
  value: Typed;
  onInput: (value: Typed) => void;
  hint?: string;
  rows?: number;
  /** Several lines; else one. */
  long?: boolean;
}

/** Bytes to type: as text, or as base64. */
export function BytesField({ label, value, onInput, hint, rows = 4, long }: Props): JSX.Element {
  const isBase64 = value.form === "base64";
  return (
    <div class="bytes">
      <Field label={label} type={long ? "textarea" : "text"} rows={rows} mono={isBase64} value={value.text} onInput={(text) => onInput({ ...value, text })} hint={hint} wrong={value.text ? base64Of(value).wrong : null} />
      <button type="button" class="button quiet small" aria-pressed={isBase64} title={`${label}: base64 instead of text`} onClick={() => onInput({ ...value, form: isBase64 ? "text" : "base64" })}>
        base64
      </button>
    </div>
  );
}
