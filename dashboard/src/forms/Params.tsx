import type { JSX } from "preact";
import { list } from "../api/client";
import { useLoad } from "../ui";
import type { PathInfo } from "./description";
import type { FieldInfo } from "./field";
import { FieldInput } from "./FieldInput";
import { choicesOf, type Offer } from "./offer";

const CHOICES_MAX = 500;

interface Props {
  offer: Offer | null;
  path: PathInfo;
  values: Record<string, string>;
  onInput: (values: Record<string, string>, name: string) => void;
  wrong: Record<string, string>;
}

/** The parts of a path that vary, each with the names that are there to choose from. */
export function Params({ offer, path, values, onInput, wrong }: Props): JSX.Element | null {
  if (path.params.length === 0) return null;
  return (
    <div class="fields">
      {path.params.map((param) => (
        <Param key={param.name} {...{ offer, path, param, values, wrong }} onInput={(value) => onInput({ ...values, [param.name]: value }, param.name)} />
      ))}
    </div>
  );
}

function Param({ offer, path, param, values, onInput, wrong }: Omit<Props, "onInput"> & { param: FieldInfo; onInput: (value: string) => void }): JSX.Element {
  const from = offer && choicesOf(offer, path, param, values);
  // Names are a help; where they can not be listed they are typed.
  const { data } = useLoad(async (signal) => (from ? (await list(from, { signal }).catch(() => [])).slice(0, CHOICES_MAX) : []), [from]);
  return <FieldInput field={param} value={values[param.name] ?? ""} onInput={(value) => onInput(String(value))} choices={data} wrong={wrong[param.name] ?? false} inPath />;
}
