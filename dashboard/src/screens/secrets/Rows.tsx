import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";
import { Button } from "../../ui";
import { isText, parse, print, type Fields } from "../../api/json";

/** One key with its value as it is typed. `json` values are anything but text: numbers, lists, objects. */
export interface Row {
  id: number;
  key: string;
  text: string;
  json: boolean;
  shown: boolean;
}

let next = 1;

/** An empty row to type in. */
export const emptyRow = (): Row => ({ id: next++, key: "", text: "", json: false, shown: true });

/** The rows of an object. */
export const rowsOf = (values: Fields, shown = false): Row[] =>
  Object.entries(values).map(([key, value]) => ({ id: next++, key, text: isText(value) ? value : print(value), json: !isText(value), shown }));

/** The object of rows; `wrong` says in words why there is none. Rows with neither key nor value are left out. */
export function valuesOf(rows: Row[]): { values?: Fields; wrong: string | null; at?: number } {
  const entries: [string, unknown][] = [];
  const seen = new Set<string>();
  for (const { id, key, text, json } of rows) {
    if (key === "" && text === "") continue;
    if (key === "") return { wrong: "A value has no key.", at: id };
    if (seen.has(key)) return { wrong: `The key ${key} is there twice.`, at: id };
    seen.add(key);
    try {
      entries.push([key, json ? parse(text) : text]);
    } catch {
      return { wrong: `The value of ${key} is marked as JSON, but is none.`, at: id };
    }
  }
  return { values: Object.fromEntries(entries), wrong: null };
}

/** Keys and values, one a row. A value stays hidden until somebody wants to see or change it. */
export function Rows({ rows, wrongAt, onInput, plain }: { rows: Row[]; wrongAt?: number; onInput: (rows: Row[]) => void; plain?: boolean }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const set = (id: number, change: Partial<Row>) => onInput(rows.map((row) => (row.id === id ? { ...row, ...change } : row)));
  const add = () => {
    onInput([...rows, emptyRow()]);
    setTimeout(() => list.current?.querySelector<HTMLInputElement>(".kv-row:last-of-type input")?.focus());
  };
  return (
    <div class="stack tight" ref={list}>
      {rows.map((row, index) => (
        <OneRow key={row.id} row={row} index={index} wrong={row.id === wrongAt} plain={plain} onInput={(change) => set(row.id, change)} onRemove={() => onInput(rows.filter(({ id }) => id !== row.id))} />
      ))}
      <div>
        <Button size="small" icon="plus" onClick={add}>
          Add a key
        </Button>
      </div>
    </div>
  );
}

function OneRow({ row, index, wrong, plain, onInput, onRemove }: { row: Row; index: number; wrong: boolean; plain?: boolean; onInput: (change: Partial<Row>) => void; onRemove: () => void }): JSX.Element {
  const id = useId();
  const what = row.key || `row ${index + 1}`;
  const lines = Math.min(12, row.text.split("\n").length);
  const common = { class: "input mono", spellcheck: false, autocomplete: "off", autocapitalize: "off" } as const;
  return (
    <div class="kv-row">
      <input
        {...common}
        aria-label={`Key of row ${index + 1}`}
        aria-invalid={wrong || undefined}
        placeholder="key"
        value={row.key}
        onInput={(event) => onInput({ key: (event.target as HTMLInputElement).value })}
      />
      {row.shown ? (
        <textarea
          {...common}
          id={id}
          aria-label={`Value of ${what}`}
          aria-invalid={wrong || undefined}
          placeholder={row.json ? "JSON" : "value"}
          rows={lines}
          value={row.text}
          onInput={(event) => onInput({ text: (event.target as HTMLTextAreaElement).value })}
        />
      ) : (
        <button type="button" class="input kv-veil" aria-label={`Show and change the value of ${what}`} onClick={() => onInput({ shown: true })}>
          ••••••••
        </button>
      )}
      <div class="kv-row-actions">
        {!plain && (
          <Button kind="quiet" size="small" icon={row.shown ? "hidden" : "eye"} label={`${row.shown ? "Hide" : "Show"} the value of ${what}`} onClick={() => onInput({ shown: !row.shown })} />
        )}
        {!plain && (
          <button
            type="button"
            class={`button small kv-json ${row.json ? "on" : "quiet"}`}
            aria-pressed={row.json}
            aria-label={`The value of ${what} is JSON`}
            title="JSON instead of text: numbers, lists, objects"
            onClick={() => onInput({ json: !row.json })}
          >
            {"{ }"}
          </button>
        )}
        <Button kind="quiet" size="small" icon="trash" label={`Remove ${what}`} onClick={onRemove} />
      </div>
    </div>
  );
}
