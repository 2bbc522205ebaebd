import type { JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../ui";
import { isText, parse, print, type Fields } from "../../api/json";
import { inTextarea, withEndsOf } from "./ends";

/** One key with its value as it is typed. `json` values are anything but text: numbers, lists, objects. */
export interface Row {
  id: number;
  /** The key that it had when the editing began, which may be the empty one; null if the row was added since. */
  was: string | null;
  key: string;
  text: string;
  json: boolean;
  shown: boolean;
}

let next = 1;

/** An empty row to type in. */
export const emptyRow = (): Row => ({ id: next++, was: null, key: "", text: "", json: false, shown: true });

/** The rows of an object. */
export const rowsOf = (values: Fields, shown = false): Row[] =>
  Object.entries(values).map(([key, value]) => ({ id: next++, was: key, key, text: isText(value) ? value : print(value), json: !isText(value), shown }));

/** The object of rows; `wrong` says in words why there is none. Added rows with neither key nor value are left out. */
export function valuesOf(rows: Row[]): { values?: Fields; wrong: string | null; at?: number } {
  const entries: [string, unknown][] = [];
  const seen = new Set<string>();
  for (const { id, was, key, text, json } of rows) {
    if (was === null && key === "" && text === "") continue;
    if (key === "" && was !== "") return { wrong: "A value has no key.", at: id };
    if (seen.has(key)) return { wrong: key ? `The key ${key} is there twice.` : "The empty key is there twice.", at: id };
    seen.add(key);
    try {
      entries.push([key, json ? parse(text) : text]);
    } catch {
      return { wrong: `The value of ${key || "the empty key"} is marked as JSON, but is none.`, at: id };
    }
  }
  return { values: Object.fromEntries(entries), wrong: null };
}

/** Keys and values, one a row. A value stays hidden until somebody wants to see or change it. */
export function Rows({ rows, wrongAt, onInput, plain }: { rows: Row[]; wrongAt?: number; onInput: (rows: Row[]) => void; plain?: boolean }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  // What takes the focus as soon as it is drawn: the button that had it may be gone by then.
  const towards = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (towards.current) list.current?.querySelector<HTMLElement>(towards.current)?.focus();
    towards.current = null;
  }, [rows]);
  const set = (id: number, change: Partial<Row>) => onInput(rows.map((row) => (row.id === id ? { ...row, ...change } : row)));
  const add = () => {
    const row = emptyRow();
    towards.current = `[data-row="${row.id}"] input`;
    onInput([...rows, row]);
  };
  const open = (id: number) => {
    towards.current = `[data-row="${id}"] textarea`;
    set(id, { shown: true });
  };
  const remove = (index: number) => {
    const near = rows[index + 1] ?? rows[index - 1];
    towards.current = near ? `[data-row="${near.id}"] input` : ".kv-add button";
    onInput(rows.filter((_, other) => other !== index));
  };
  return (
    <div class="stack tight" ref={list}>
      {rows.map((row, index) => (
        <OneRow key={row.id} row={row} index={index} wrong={row.id === wrongAt} plain={plain} onInput={(change) => set(row.id, change)} onOpen={() => open(row.id)} onRemove={() => remove(index)} />
      ))}
      <div class="kv-add">
        <Button size="small" icon="plus" onClick={add}>
          Add a key
        </Button>
      </div>
    </div>
  );
}

interface RowProps {
  row: Row;
  index: number;
  wrong: boolean;
  plain?: boolean;
  onInput: (change: Partial<Row>) => void;
  onOpen: () => void;
  onRemove: () => void;
}

function OneRow({ row, index, wrong, plain, onInput, onOpen, onRemove }: RowProps): JSX.Element {
  const id = useId();
  const what = row.key || `row ${index + 1}`;
  const text = inTextarea(row.text);
  const lines = Math.min(12, text.split("\n").length);
  const common = { class: "input mono", spellcheck: false, autocomplete: "off", autocapitalize: "off" } as const;
  return (
    <div class="kv-row" data-row={row.id}>
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
          value={text}
          onInput={(event) => onInput({ text: withEndsOf(row.text, (event.target as HTMLTextAreaElement).value) })}
        />
      ) : (
        <button type="button" class="input kv-veil" aria-label={`Show and change the value of ${what}`} onClick={onOpen}>
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
