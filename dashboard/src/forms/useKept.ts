import { useState } from "preact/hooks";
import { write, type Answer } from "../api/client";
import { toast, warned } from "../ui";
import type { FieldInfo } from "./field";
import { refusals } from "./refusals";
import { changed, firstOf, missing, same, type Values } from "./values";

interface Wish {
  target: string;
  fields: FieldInfo[];
  kept: Record<string, unknown> | null;
  reload: () => void;
  onAnswered: (answer: Answer<unknown>) => void;
}

/** The state of a form for something kept: what was typed, what of it is new, what is wrong, and saving it. */
export function useKept({ target, fields, kept, reload, onAnswered }: Wish) {
  const first = firstOf(fields, kept && flat(kept));
  const [values, setValues] = useState(first);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [refusal, setRefusal] = useState<string | null>(null);
  const { body, wrong: unread } = changed(fields, values, first);
  const set = (all: Values, name: string) => {
    setValues(all);
    // What was wrong with a field is no more once it is another one.
    setWrong(({ [name]: _, ...rest }) => rest);
  };
  const save = async () => {
    // What is kept is not asked for again: a server gives no secrets back.
    const lacking = kept ? [] : missing(fields, values);
    const found = { ...unread, ...Object.fromEntries(lacking.map((name) => [name, "This is needed."])) };
    setWrong(found);
    setRefusal(null);
    if (Object.keys(found).length > 0) return;
    try {
      const said = await write<unknown>(target, body, { exact: true });
      warned(said.warnings);
      onAnswered(said);
      toast("Saved");
      setValues(first);
      reload();
    } catch (error) {
      const said = refusals(error, fields.map(({ name }) => name));
      setWrong(said.fields);
      setRefusal(said.whole);
    }
  };
  return { first, values, set, wrong, refusal, body, save, unsaved: fields.some(({ name }) => !same(values[name], first[name])) };
}

/** What is kept, with what is in its groups (`connection_details`) besides: a write has no groups. */
const flat = (kept: Record<string, unknown>): Record<string, unknown> => ({ ...Object.assign({}, ...Object.values(kept).filter(isGroup)), ...kept });

/** Whether a value has values of its own, by their names. */
export const isGroup = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
