import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Button } from "./Button";

type Line = { sign: " " | "+" | "-"; text: string };

/** Most lines of a side that are compared line by line; longer texts are shown as one taken away and one added. */
const LINES_MAX = 1_500;
/** Lines that are drawn at once: tens of thousands would hold up the whole page. */
const SHOWN_AT_ONCE = 2_000;

/** What differs between two texts, line by line. */
export function Diff({ before, after, label }: { before: string; after: string; label: string }): JSX.Element {
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  const lines = useMemo(() => compare(before.split("\n"), after.split("\n")), [before, after]);
  return (
    <div class="stack tight">
      <div class="diff" role="region" aria-label={label} tabIndex={0}>
        {lines.slice(0, many).map(({ sign, text }, index) => (
          <div key={index} class={`line ${sign === "+" ? "added" : sign === "-" ? "removed" : ""}`}>
            <span class="sign">
              <span aria-hidden="true">{sign}</span>
              {sign !== " " && <span class="visually-hidden">{sign === "+" ? "added" : "removed"}</span>}
            </span>
            <span>{text}</span>
          </div>
        ))}
      </div>
      {lines.length > many && (
        <div class="row">
          <Button size="small" onClick={() => setMany(many + SHOWN_AT_ONCE)}>
            Show more
          </Button>
          <span class="muted small">
            {many.toLocaleString()} of {lines.length.toLocaleString()} lines
          </span>
        </div>
      )}
    </div>
  );
}

/** The longest common subsequence, read from its end. */
function compare(before: string[], after: string[]): Line[] {
  if (before.length > LINES_MAX || after.length > LINES_MAX) {
    return [...before.map((text): Line => ({ sign: "-", text })), ...after.map((text): Line => ({ sign: "+", text }))];
  }
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: " ", text: before[i++]! });
      j++;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: "-", text: before[i++]! });
    } else {
      lines.push({ sign: "+", text: after[j++]! });
    }
  }
  return lines;
}
