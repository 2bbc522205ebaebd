import type { JSX } from "preact";
import { parseFields } from "../api/json";
import { Field } from "./Field";

interface Props {
  label: string;
  text: string;
  onInput: (text: string) => void;
  rows?: number;
  hint?: string;
}

/** A text that has to be an object of JSON, and says where it is not. */
export function JsonEditor({ label, text, onInput, rows = 12, hint }: Props): JSX.Element {
  const { wrong } = parseFields(text);
  const keys = (event: KeyboardEvent) => {
    const area = event.target as HTMLTextAreaElement;
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey) return;
    // The next line begins where this one does.
    const line = area.value.slice(0, area.selectionStart).split("\n").pop() ?? "";
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const more = /[{[]\s*$/.test(line) ? "  " : "";
    if (!indent && !more) return;
    event.preventDefault();
    area.setRangeText(`\n${indent}${more}`, area.selectionStart, area.selectionEnd, "end");
    onInput(area.value);
  };
  return <Field label={label} type="textarea" mono rows={rows} value={text} onInput={onInput} hint={hint} wrong={text.trim() ? wrong : null} onKeyDown={keys} />;
}
