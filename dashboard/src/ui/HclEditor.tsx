import type { JSX } from "preact";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import "./HclEditor.css";
import { paint } from "./hcl";

interface Props {
  label: string;
  text: string;
  onInput: (text: string) => void;
  /** What is wrong with it, and in which line. */
  wrong?: string | null;
  wrongLine?: number | null;
  readOnly?: boolean;
  onSave?: () => void;
}

/** A text in HCL: numbered lines, colours, and a mark at the line that the server objects to. Tab indents; Escape lets Tab leave. */
export function HclEditor({ label, text, onInput, wrong, wrongLine, readOnly, onSave }: Props): JSX.Element {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const leaves = useRef(false);
  const lines = useMemo(() => paint(text), [text]);
  useEffect(() => {
    if (!wrongLine || !area.current) return;
    const start = text.split("\n").slice(0, wrongLine - 1).join("\n").length + (wrongLine > 1 ? 1 : 0);
    area.current.focus();
    area.current.setSelectionRange(start, start);
  }, [wrongLine, wrong]);
  const keys = (event: KeyboardEvent) => {
    const target = event.target as HTMLTextAreaElement;
    const insert = (what: string) => {
      event.preventDefault();
      target.setRangeText(what, target.selectionStart, target.selectionEnd, "end");
      onInput(target.value);
    };
    if (event.key === "s" && (event.ctrlKey || event.metaKey) && onSave) {
      event.preventDefault();
      onSave();
    } else if (event.key === "Escape") {
      leaves.current = true;
      return;
    } else if (event.key === "Tab" && !event.shiftKey && !leaves.current && !readOnly) {
      insert("  ");
    } else if (event.key === "Enter" && !readOnly) {
      const line = target.value.slice(0, target.selectionStart).split("\n").pop() ?? "";
      insert(`\n${/^\s*/.exec(line)?.[0] ?? ""}${/[{[]\s*$/.test(line) ? "  " : ""}`);
    }
    if (event.key === "}" && !readOnly && target.selectionStart === target.selectionEnd) {
      // What closes a block stands where the block began.
      const line = target.value.slice(0, target.selectionStart).split("\n").pop() ?? "";
      if (/^ {2,}$/.test(line)) {
        target.setSelectionRange(target.selectionStart - 2, target.selectionStart);
        insert("}");
      }
    }
    leaves.current = false;
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class={`hcl ${wrong ? "faulty" : ""}`}>
        <div class="lines" aria-hidden="true">
          {lines.map((_, index) => (
            <div key={index} class={index + 1 === wrongLine ? "faulty" : ""}>
              {index + 1}
            </div>
          ))}
        </div>
        <div class="text">
          <pre aria-hidden="true">
            {lines.map((pieces, index) => (
              <div key={index} class={index + 1 === wrongLine ? "faulty" : ""}>
                {pieces.map(({ kind, text }, at) => (kind ? <span key={at} class={`tok-${kind}`}>{text}</span> : text))}
              </div>
            ))}
          </pre>
          <textarea
            ref={area}
            id={id}
            value={text}
            readOnly={readOnly}
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            wrap="off"
            aria-invalid={wrong ? true : undefined}
            aria-describedby={`${id}-more`}
            onInput={(event) => onInput((event.target as HTMLTextAreaElement).value)}
            onKeyDown={keys}
          />
        </div>
      </div>
      <div id={`${id}-more`} class={wrong ? "wrong" : "hint"} role={wrong ? "alert" : undefined}>
        {wrong || (readOnly ? "It can be read but not changed." : "Tab indents; Escape, then Tab, leaves the text. Ctrl+S saves.")}
      </div>
    </div>
  );
}
