import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../ui";

interface Props {
  label: string;
  values: string[];
  onInput: (values: string[]) => void;
  hint?: ComponentChildren;
  wrong?: string | false;
  disabled?: boolean;
  /** Whether an entry can have several lines. */
  long?: boolean;
}

/** Most entries that are typed by hand. */
const ENTRIES_MAX = 200;

/** Several texts, each in a line of its own. Enter makes the next one. */
export function ListInput({ label, values, onInput, hint, wrong, disabled, long }: Props): JSX.Element {
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const rows = values.length > 0 ? values : [""];
  const next = useRef<number | null>(null);
  const focus = (index: number) => place.current?.querySelectorAll<HTMLElement>(".input")[index]?.focus();
  // Before the next key arrives.
  useLayoutEffect(() => {
    if (next.current !== null) focus(next.current);
    next.current = null;
  });
  const set = (index: number, text: string) => onInput(rows.map((row, at) => (at === index ? text : row)));
  const add = (after: number) => {
    if (rows.length >= ENTRIES_MAX) return;
    next.current = after + 1;
    onInput([...rows.slice(0, after + 1), "", ...rows.slice(after + 1)]);
  };
  const drop = (index: number) => {
    next.current = Math.max(0, index - 1);
    onInput(rows.filter((_, at) => at !== index));
  };
  const keys = (index: number) => (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || rows[index] === "" || long) return;
    event.preventDefault();
    add(index);
  };
  const hasCommas = !long && rows.some((row) => /,/.test(row));
  const more = wrong || (hasCommas && "One entry has a comma in it. For several entries use one line each.");
  return (
    <div class="field list-input" ref={place}>
      <label for={`${id}-0`}>{label}</label>
      {rows.map((row, index) => {
        const common = {
          id: `${id}-${index}`,
          class: "input mono",
          value: row,
          disabled,
          spellcheck: false,
          autocomplete: "off",
          "aria-label": index > 0 ? `${label}, ${index + 1}` : undefined,
          "aria-invalid": wrong ? true : undefined,
          "aria-describedby": hint || more ? `${id}-more` : undefined,
          onInput: (event: Event) => set(index, (event.target as HTMLInputElement).value),
          onKeyDown: keys(index),
        } as const;
        return (
          <div class="entry" key={index}>
            {long ? <textarea {...common} rows={Math.min(8, Math.max(2, row.split("\n").length))} /> : <input {...common} type="text" />}
            {rows.length > 1 && <Button kind="quiet" size="small" icon="close" label={`Remove: ${label}, ${index + 1}`} disabled={disabled} onClick={() => drop(index)} />}
            {index === rows.length - 1 && <Button kind="quiet" size="small" icon="plus" label={`Another: ${label}`} disabled={disabled || rows.length >= ENTRIES_MAX} onClick={() => (row === "" ? focus(index) : add(index))} />}
          </div>
        );
      })}
      {(hint || more) && (
        <div id={`${id}-more`} class={wrong ? "wrong" : "hint"}>
          {more || hint}
        </div>
      )}
    </div>
  );
}
