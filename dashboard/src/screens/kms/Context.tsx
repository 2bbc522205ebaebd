import type { JSX } from "preact";
import { Field } from "../../ui";
import { isSymmetric, type MasterKey } from "./kms";

/** The pairs of texts that a ciphertext is bound to; symmetric keys only. */
export function Context({ at, label = "Encryption context", value, onInput }: { at: MasterKey | null; label?: string; value: string; onInput: (value: string) => void }): JSX.Element | null {
  if (at && !isSymmetric(at)) return null;
  return <Field label={label} type="textarea" rows={2} mono value={value} onInput={onInput} placeholder="table=orders" hint="A pair a line, no secrets. The same are needed to decrypt. May be empty." wrong={wrongContext(value)} />;
}

/** The pairs of a text; none for keys that take none. */
export function pairsOf(text: string, at: MasterKey | null): Record<string, string> {
  if (at && !isSymmetric(at)) return {};
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** What is wrong with the text of a context; null if nothing is. */
export function wrongContext(text: string): string | null {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const names = lines.map((line) => line.slice(0, line.indexOf("=")));
  if (lines.some((line) => line.indexOf("=") < 1)) return "Each line is a pair: name=value.";
  return new Set(names).size < names.length ? "A name is there twice." : null;
}

/** The fields of a request. */
export function contextBody(text: string, at: MasterKey | null, field = "encryption_context"): Record<string, Record<string, string>> {
  const pairs = pairsOf(text, at);
  return Object.keys(pairs).length > 0 ? { [field]: pairs } : {};
}

/** The same for the command line: a context is no secret. */
export const contextFlags = (text: string, at: MasterKey | null, flag = "-context"): string[] => Object.entries(pairsOf(text, at)).map(([name, value]) => `${flag}=${name}=${value}`);
