import type { JSX } from "preact";
import { Field } from "./Field";

interface Props {
  label: string;
  text: string;
  onInput: (text: string) => void;
  rows?: number;
  hint?: string;
  /** Whether it has to be an object; else any JSON will do. */
  object?: boolean;
}

/** A text that has to be JSON, and says where it is not. */
export function JsonEditor({ label, text, onInput, rows = 12, hint, object = true }: Props): JSX.Element {
  const { wrong } = parseJson(text, object);
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

/** Reads JSON; `wrong` says what is wrong with it, in words. */
export function parseJson(text: string, object = true): { value?: unknown; wrong: string | null } {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return object && !isObject ? { wrong: "It has to be an object: { … }" } : { value, wrong: null };
  } catch (error) {
    return { wrong: `It is no JSON yet: ${error instanceof Error ? error.message : String(error)}` };
  }
}
