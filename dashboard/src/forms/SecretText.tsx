import type { ComponentChildren, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { Icon } from "../ui";

/** A secret of several lines, like a private key: its letters are covered until somebody asks for them. */
export function SecretText({ label, value, onInput, hint, wrong, disabled }: { label: string; value: string; onInput: (value: string) => void; hint?: ComponentChildren; wrong?: string | false; disabled?: boolean }): JSX.Element {
  const id = useId();
  const [open, setOpen] = useState(false);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="affix">
        <textarea
          id={id}
          class={`input mono ${open ? "" : "covered"}`}
          rows={4}
          value={value}
          disabled={disabled}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={wrong ? true : undefined}
          aria-describedby={hint || wrong ? `${id}-more` : undefined}
          onInput={(event) => onInput((event.target as HTMLTextAreaElement).value)}
        />
        <button type="button" class="button quiet icon small" aria-label={open ? `Hide: ${label}` : `Show: ${label}`} aria-pressed={open} onClick={() => setOpen(!open)}>
          <Icon name={open ? "hidden" : "eye"} />
        </button>
      </div>
      {(hint || wrong) && (
        <div id={`${id}-more`} class={wrong ? "wrong" : "hint"}>
          {wrong || hint}
        </div>
      )}
    </div>
  );
}
