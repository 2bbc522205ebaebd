import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Button, Card, Command, Confirm, Field, JsonEditor, Note, operands } from "../ui";
import { Answered } from "./Answered";
import { filled, type Method, type OperationInfo, type PathInfo } from "./description";
import { Fields } from "./Fields";
import type { Offer } from "./offer";
import { Params } from "./Params";
import { asTexts, useOperation } from "./useOperation";
import { useRefused } from "./useRefused";
import { withoutSecrets, wordsOf } from "./values";
import { Words } from "./Words";

interface Props {
  path: PathInfo;
  operation: OperationInfo;
  /** The mount it belongs to, for names to choose from. */
  offer: Offer | null;
  /** Parts of the path that are known already. */
  given?: Record<string, string>;
  /** It was done; what is shown beside may be old. */
  onDone?: () => void;
}

type Form = ReturnType<typeof useOperation>;

const VERBS: Record<Method, string> = { GET: "Read", LIST: "List", POST: "Run", PATCH: "Change", DELETE: "Delete" };
const CLI: Record<Method, string> = { GET: "read", LIST: "list", POST: "write", PATCH: "patch", DELETE: "delete" };
/** What can not be taken back, or stops something, is asked about first. */
const GRAVE = /(^|\/)(revoke[^/]*|destroy|delete[^/]*|trim|seal|step-down|rotate-root|remount|reset|merge|batch-delete|admin-destroy|schedule-deletion|disable|snapshot[^/]*|force[^/]*|tidy|lock|soft-delete)(\/|$)/;

/** One thing that can be asked of the server: its fields, a button, and what came of it. */
export function OperationForm({ path, operation, offer, given = {}, onDone }: Props): JSX.Element {
  const form = useOperation(path, operation, given, onDone);
  const [asked, setAsked] = useState(false);
  const place = useRef<HTMLFormElement>(null);
  const about = operation.about || path.about;
  const submit = () => {
    if (form.stop) return;
    if (!form.check()) setTimeout(() => place.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), 0);
    else if (isGrave(path, operation)) setAsked(true);
    else void form.ask();
  };
  return (
    <>
      <div>
        <Card>
          <form
            class="stack"
            ref={place}
            noValidate
            aria-label={`${operation.method} ${path.path}`}
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <p>
              <Words text={about} />
            </p>
            <Params offer={offer} path={path} values={form.params.values} onInput={form.params.set} wrong={form.wrong} />
            {operation.query.length > 0 && <Fields fields={operation.query} values={form.query.values} first={form.first.query} onInput={form.query.set} wrong={form.wrong} />}
            {operation.isFree && <JsonEditor label="Body" text={form.free.text} onInput={form.free.set} rows={8} hint="An object of your choice, as JSON." />}
            {operation.body.length > 0 && <Fields fields={operation.body} values={form.fields.values} first={form.first.body} onInput={form.fields.set} wrong={form.wrong} />}
            {form.refusal && <Note tone="bad">{form.refusal}</Note>}
            <End path={path} operation={operation} form={form} />
          </form>
        </Card>
        <div class="answer-place" aria-live="polite">
          {form.outcome && <Answered outcome={form.outcome} about={operation.answer} path={form.target} plain={operation.method === "LIST"} covered={isAllSecret(path)} made={operation.method === "POST"} />}
        </div>
      </div>
      <Same path={path} operation={operation} form={form} />
      {asked && (
        <Confirm title={`${VERBS[operation.method]} ${form.target}?`} verb={VERBS[operation.method]} danger onClose={() => setAsked(false)} onConfirm={() => void form.ask()}>
          {about}
        </Confirm>
      )}
    </>
  );
}

/** Whether all that is read there is somebody's secret: what has a form of its own choice, and what was wrapped. */
export const isAllSecret = (path: PathInfo): boolean => path.path === "sys/wrapping/unwrap" || path.operations.some(({ isFree }) => isFree);

/** Whether it is asked about before it is done. */
const isGrave = ({ path }: PathInfo, { method }: OperationInfo): boolean => method === "DELETE" || (method === "POST" && GRAVE.test(path));

/** The last line of a form: wrapping, why not, and the button. */
function End({ path, operation: { method }, form }: { path: PathInfo; operation: OperationInfo; form: Form }): JSX.Element {
  const isWhole = path.params.every(({ name }) => form.params.values[name]);
  const refused = useRefused(isWhole && !path.isOpen ? form.target : null, method);
  return (
    <div class="row apart end-line">
      <div class="wrap-for">{method !== "DELETE" && <Field label="Wrap the answer for" bare mono placeholder="Wrap the answer for … (5m)" value={form.wrap.text} onInput={form.wrap.set} />}</div>
      <div class="row">
        {refused && <span class="muted small">{refused}</span>}
        {form.stop && <Button onClick={form.stop}>Stop</Button>}
        <Button type="submit" kind={method === "DELETE" ? "danger" : "primary"} busy={form.stop !== null} because={refused}>
          {VERBS[method]}
        </Button>
      </div>
    </div>
  );
}

/** The same by the command line, with names for what is not typed yet. */
function Same({ path, operation: { method, isFree }, form }: { path: PathInfo; operation: OperationInfo; form: Form }): JSX.Element {
  const target = filled(path, Object.fromEntries(path.params.map(({ name }) => [name, form.params.values[name] || `<${name}>`])));
  const query = asTexts(withoutSecrets(form.query.asked));
  const words = method === "GET" ? wordsOf(query) : wordsOf(form.body ?? {}, isFree);
  const force = method === "POST" && words.length === 0 ? ["-f"] : [];
  return (
    <Command
      cli={[CLI[method], ...force, ...operands(target, ...words)]}
      request={{ method: method === "LIST" ? "GET" : method, path: target, query: method === "LIST" ? { ...query, list: true } : query, ...(form.body ? { body: withoutSecrets(form.body, isFree) } : {}) }}
    />
  );
}
