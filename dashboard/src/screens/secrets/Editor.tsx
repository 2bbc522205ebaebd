import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Field, Note, Switch } from "../../ui";
import { isSame, parseFields, print, type Fields } from "../../api/json";
import { emptyRow, Rows, rowsOf, valuesOf, type Row } from "./Rows";

/** What is being edited, in the one view or the other. */
export interface Draft {
  mode: "rows" | "json";
  rows: Row[];
  text: string;
}

/** A draft that begins with values. */
export const draftOf = (values: Fields): Draft => {
  const rows = rowsOf(values);
  return { mode: "rows", rows: rows.length > 0 ? rows : [emptyRow()], text: print(values) };
};

/** The values of a draft; `wrong` says in words why there are none yet. */
export const valuesOfDraft = ({ mode, rows, text }: Draft): { values?: Fields; wrong: string | null; at?: number } => {
  if (mode === "rows") return valuesOf(rows);
  const { value, wrong } = parseFields(text);
  return { values: value, wrong };
};

/** Whether a draft says anything else than the values it began with. */
export const isChanged = (draft: Draft, first: Fields): boolean => {
  const { values } = valuesOfDraft(draft);
  return !values || !isSame(values, first);
};

/** Edits values as rows or as JSON. Going from the one to the other loses nothing: it waits until what is there can be read. */
export function Editor({ draft, onInput }: { draft: Draft; onInput: (draft: Draft) => void }): JSX.Element {
  const [held, setHeld] = useState<string | null>(null);
  const { wrong, at } = valuesOfDraft(draft);
  const to = (mode: Draft["mode"]) => {
    if (mode === draft.mode) return;
    const { values, wrong: why } = valuesOfDraft(draft);
    if (!values) {
      setHeld(`Mend this first, so that nothing is lost: ${why}`);
      return;
    }
    setHeld(null);
    onInput(mode === "json" ? { ...draft, mode, text: print(values) } : { ...draft, mode, rows: kept(draft.rows, values) });
  };
  const change = (next: Partial<Draft>) => {
    setHeld(null);
    onInput({ ...draft, ...next });
  };
  return (
    <div class="stack">
      <Switch
        label="How to edit"
        value={draft.mode}
        onInput={to}
        options={[
          { value: "rows", label: "Keys and values" },
          { value: "json", label: "JSON (shows all values)" },
        ]}
      />
      {draft.mode === "rows" ? (
        <Rows rows={draft.rows} wrongAt={at} onInput={(rows) => change({ rows })} />
      ) : (
        <Field label="Values as JSON" type="textarea" mono rows={Math.min(24, Math.max(8, draft.text.split("\n").length + 1))} value={draft.text} onInput={(text) => change({ text })} wrong={wrong} />
      )}
      {draft.mode === "rows" && wrong && !held && <p class="small muted">{wrong}</p>}
      {held && <Note tone="warn">{held}</Note>}
    </div>
  );
}

/** The rows of values; those that stay the same keep what is shown and where they are. */
function kept(rows: Row[], values: Fields): Row[] {
  const before = valuesOf(rows).values;
  if (before && isSame(before, values)) return rows;
  const shown = new Set(rows.filter((row) => row.shown).map((row) => row.key));
  return rowsOf(values).map((row) => ({ ...row, shown: shown.has(row.key) }));
}
