import type { JSX } from "preact";
import { base64Of } from "../keys/bytes";
import { BytesField } from "../keys/BytesField";
import type { Part } from "./bench";
import { hasAssociatedData } from "./transit";

type Given = Pick<Part, "at" | "bench" | "onBench">;

/** For whom and for what something is encrypted: the context of a derived key, and data that goes with it. */
export function Binding({ at, bench, onBench, withoutData }: Given & { withoutData?: boolean }): JSX.Element {
  return (
    <>
      {(!at || at.derived) && <BytesField label={at ? "Context" : "Context, for a derived key"} value={bench.context} onInput={(context) => onBench({ context })} hint="For whom or what. The same is needed to decrypt." />}
      {!withoutData && (!at || hasAssociatedData(at.type)) && <BytesField label="Associated data" value={bench.associated} onInput={(associated) => onBench({ associated })} hint="Not hidden, not in the ciphertext, and needed again to decrypt. May be empty." />}
    </>
  );
}

/** The same for a request. */
export function bindingOf({ at, bench }: Given, withoutData = false): { context?: string; associated_data?: string } {
  return {
    ...(bench.context.text && (!at || at.derived) ? { context: base64Of(bench.context).base64 } : {}),
    ...(!withoutData && bench.associated.text && (!at || hasAssociatedData(at.type)) ? { associated_data: base64Of(bench.associated).base64 } : {}),
  };
}

/** The same for the command line and for curl: what it is has no place there. */
export function bindingWords(given: Given, withoutData = false): { flags: string[]; body: Record<string, string> } {
  const fields = bindingOf(given, withoutData);
  return {
    flags: [...(fields.context === undefined ? [] : ["-context=…"]), ...(fields.associated_data === undefined ? [] : ["-associated-data=…"])],
    body: Object.fromEntries(Object.keys(fields).map((name) => [name, "…"])),
  };
}

/** Why a request would be refused before it is sent; null if nothing is missing. */
export function bindingWrong({ at, bench }: Given): string | null {
  if (at?.derived && !bench.context.text) return "A derived key needs a context";
  return base64Of(bench.context).wrong ?? base64Of(bench.associated).wrong;
}
