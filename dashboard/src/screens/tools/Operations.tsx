import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Method, PathInfo } from "../../forms/description";
import type { Offer } from "../../forms/offer";
import { OperationForm } from "../../forms/OperationForm";
import { Note, Switch } from "../../ui";

/** The forms of a path, one for each of its methods. */
export function Operations({ path, offer, given = {} }: { path: PathInfo; offer: Offer | null; given?: Record<string, string> }): JSX.Element {
  const [method, setMethod] = useState<Method | undefined>(path.operations[0]?.method);
  const operation = path.operations.find((one) => one.method === method);
  if (!operation) return <Note>The server describes no method for this path.</Note>;
  return (
    <>
      {path.isOld && <Note tone="warn">There is a newer way: {path.about}</Note>}
      {path.operations.length > 1 && <Switch label="Method" options={path.operations.map(({ method }) => ({ value: method, label: LABELS[method] }))} value={operation.method} onInput={setMethod} />}
      <OperationForm key={operation.method} path={path} operation={operation} offer={offer} given={given} />
    </>
  );
}

const LABELS: Record<Method, string> = { GET: "Read", LIST: "List", POST: "Write", PATCH: "Patch", DELETE: "Delete" };
