import type { JSX } from "preact";
import { nameIn } from "../../forms/description";

/** A path whose varying parts are told from its words. */
export function Template({ text }: { text: string }): JSX.Element {
  return (
    <span class="mono break">
      {text.split("/").map((segment, index) => (
        <span key={index}>
          {index > 0 && "/"}
          {nameIn(segment) === null ? segment : <span class="varies">{segment}</span>}
        </span>
      ))}
    </span>
  );
}
