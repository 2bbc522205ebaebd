import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui";
import { isList, isPairs, type FieldInfo } from "./field";
import { FieldInput, isWide } from "./FieldInput";
import { same, type Value, type Values } from "./values";
import "./forms.css";

interface Props {
  fields: FieldInfo[];
  values: Values;
  /** Told what all inputs hold, and which one was changed. */
  onInput: (values: Values, name: string) => void;
  wrong?: Record<string, string>;
  disabled?: boolean;
  /** What the inputs held at first: what differs from it is always in sight. */
  first: Values;
  /** The names that are in sight besides; undefined shows those that are required. */
  front?: (field: FieldInfo) => boolean;
}

/** So many more fields stand in the open before they are folded. */
const OPEN_MAX = 6;

/** Inputs for fields: what is needed first, and the rest behind one line. */
export function Fields({ fields, values, onInput, wrong = {}, disabled, first, front = ({ isRequired }) => isRequired }: Props): JSX.Element {
  const listed = [...fields].sort((one, other) => rank(one) - rank(other) || shape(one) - shape(other));
  const ahead = listed.filter((field) => front(field) && !field.isOld);
  const rest = listed.filter((field) => !ahead.includes(field));
  const folded = ahead.length === 0 ? rest.filter(({ isOld }) => isOld) : rest.length > OPEN_MAX || rest.some(({ isOld }) => isOld) ? rest : [];
  const open = listed.filter((field) => !folded.includes(field));
  const isTouched = folded.some(({ name }) => name in wrong || !same(values[name], first[name]));
  const [unfolded, setUnfolded] = useState(isTouched);
  useEffect(() => {
    // A complaint must not stand where nobody sees it.
    if (isTouched) setUnfolded(true);
  }, [isTouched]);
  const input = (field: FieldInfo) => (
    <div key={field.name} class={isWide(field) ? "span" : ""}>
      <FieldInput field={field} value={values[field.name] ?? ""} wrong={wrong[field.name] ?? false} disabled={disabled} onInput={(value: Value) => onInput({ ...values, [field.name]: value }, field.name)} />
    </div>
  );
  return (
    <>
      {open.length > 0 && <div class="fields">{open.map(input)}</div>}
      {folded.length > 0 && (
        <details class="command more-fields" open={unfolded} onToggle={(event) => setUnfolded((event.currentTarget as HTMLDetailsElement).open)}>
          <summary>
            <Icon name="chevron" class="chevron" size={12} />
            {ahead.length === 0 && folded.every(({ isOld }) => isOld) ? "Old and unsupported fields" : "More fields"} ({folded.length})
          </summary>
          <div class="fields">{folded.map(input)}</div>
        </details>
      )}
    </>
  );
}

/** The required stand first, then what a thing itself is about, then what all have, and old names last. */
const rank = ({ isRequired, isOld, name }: FieldInfo): number => (isOld ? 3 : isRequired ? 0 : name.startsWith("token_") ? 2 : 1);

/** Inputs of one line stand together, then those that grow, and boxes to tick last. */
function shape(field: FieldInfo): number {
  if (field.type === "boolean") return 3;
  return isWide(field) ? 2 : isList(field) || isPairs(field) ? 1 : 0;
}
