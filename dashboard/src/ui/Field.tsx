import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./Icon";

interface Around {
  label: string;
  hint?: ComponentChildren;
  /** What is wrong with the value. */
  wrong?: string | null | false;
  /** Keeps the label for screen readers only. */
  bare?: boolean;
}

interface Props extends Around {
  value: string | number;
  onInput: (value: string) => void;
  type?: "text" | "password" | "number" | "search" | "url" | "email" | "textarea";
  name?: string;
  placeholder?: string;
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  autoComplete?: string;
  mono?: boolean;
  rows?: number;
  min?: number;
  max?: number;
  /** "any" for numbers that need not be whole. */
  step?: number | "any";
  inputMode?: "text" | "numeric" | "search" | "url";
  /** Suggested values. */
  choices?: string[];
  onKeyDown?: (event: KeyboardEvent) => void;
}

/** A labelled input. `type="password"` can be looked at, `type="textarea"` has several lines. */
export function Field(props: Props): JSX.Element {
  const { label, hint, wrong, bare, value, onInput, type = "text", mono, choices, autoFocus, autoComplete = "off", rows = 4, ...rest } = props;
  const id = useId();
  const [shown, setShown] = useState(false);
  const place = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    // Browsers heed `autofocus` once in the life of a page; dialogs heed it each time, and do it themselves. It is taken from nobody.
    const isFree = !document.activeElement || document.activeElement.matches("body, main");
    if (autoFocus && isFree && !place.current?.closest("dialog")) place.current?.focus();
  }, []);
  const common = {
    ...rest,
    ref: place,
    id,
    value,
    class: `input ${mono ? "mono" : ""}`,
    autofocus: autoFocus,
    autocomplete: autoComplete,
    spellcheck: false,
    autocapitalize: "off",
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": hint || wrong ? `${id}-more` : undefined,
    onInput: (event: Event) => onInput((event.target as HTMLInputElement).value),
  } as const;
  const input =
    type === "textarea" ? (
      <textarea {...common} rows={rows} />
    ) : (
      <input {...common} type={type === "password" && shown ? "text" : type} list={choices && `${id}-choices`} />
    );
  return (
    <Labelled id={id} label={label} hint={hint} wrong={wrong} bare={bare}>
      {type === "password" ? (
        <div class="affix">
          {input}
          <button type="button" class="button quiet icon small" aria-label={shown ? `Hide: ${label}` : `Show: ${label}`} aria-pressed={shown} onClick={() => setShown(!shown)}>
            <Icon name={shown ? "hidden" : "eye"} />
          </button>
        </div>
      ) : (
        input
      )}
      {choices && (
        <datalist id={`${id}-choices`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
    </Labelled>
  );
}

interface SelectProps extends Around {
  value: string;
  onInput: (value: string) => void;
  options: (string | { value: string; label: string })[];
  disabled?: boolean;
  name?: string;
  autoFocus?: boolean;
}

/** A labelled choice of one. */
export function Select({ label, hint, wrong, bare, value, onInput, options, disabled, name, autoFocus }: SelectProps): JSX.Element {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} wrong={wrong} bare={bare}>
      <select
        id={id}
        name={name}
        class="input"
        value={value}
        disabled={disabled}
        autofocus={autoFocus}
        aria-describedby={hint || wrong ? `${id}-more` : undefined}
        onChange={(event) => onInput((event.target as HTMLSelectElement).value)}
      >
        {options.map((option) => {
          const { value, label } = typeof option === "string" ? { value: option, label: option } : option;
          return (
            <option key={value} value={value}>
              {label}
            </option>
          );
        })}
      </select>
    </Labelled>
  );
}

/** A box to tick. */
export function Check({ label, checked, onInput, hint, disabled }: { label: ComponentChildren; checked: boolean; onInput: (on: boolean) => void; hint?: ComponentChildren; disabled?: boolean }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onInput((event.target as HTMLInputElement).checked)} />
      <span>
        {label}
        {hint && <span class="muted small"> {hint}</span>}
      </span>
    </label>
  );
}

function Labelled({ id, label, hint, wrong, bare, children }: Around & { id: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="field">
      <label for={id} class={bare ? "visually-hidden" : ""}>
        {label}
      </label>
      {children}
      {(hint || wrong) && (
        <div id={`${id}-more`} class={wrong ? "wrong" : "hint"}>
          {wrong || hint}
        </div>
      )}
    </div>
  );
}
