import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, read, remove, type Answer } from "../api/client";
import { print } from "../api/json";
import { Button, Card, Command, Confirm, Copy, Note, operands, Page, toast } from "../ui";
import { useUnsaved } from "../ui/useUnsaved";
import { Answered } from "./Answered";
import type { FieldInfo } from "./field";
import { Fields } from "./Fields";
import { ShownFacts } from "./Shown";
import { isGroup, useKept } from "./useKept";
import { useRefused } from "./useRefused";
import { same, withoutSecrets, wordsOf } from "./values";
import { Words } from "./Words";

interface Props {
  title: string;
  crumbs: { title: string; path: string }[];
  /** Where it is. */
  target: string;
  about: string;
  /** What a write takes; null where it is only read or deleted. */
  fields: FieldInfo[] | null;
  /** What a write does, if it is not just that the fields are changed. */
  writing?: string;
  /** What is there; null if nothing is. */
  kept: Record<string, unknown> | null;
  /** What the server says of what is read. */
  answer?: Record<string, string>;
  /** All that is there is secret. */
  covered?: boolean;
  /** What deleting does, in words; undefined where it can not be deleted. */
  deleting?: ComponentChildren;
  onDeleted: () => void;
  reload: () => void;
  /** What is there besides. */
  children?: ComponentChildren;
}

/** One thing that the server keeps, by the fields that it describes: to be read, changed and deleted. */
export function KeptForm(props: Props): JSX.Element {
  const [answered, setAnswered] = useState<Answer<unknown> | null>(null);
  return <Form key={JSON.stringify(props.kept)} {...props} answered={answered} onAnswered={setAnswered} />;
}

type FormProps = Props & { answered: Answer<unknown> | null; onAnswered: (answer: Answer<unknown>) => void };

function Form(props: FormProps): JSX.Element {
  const { title, crumbs, target, about, kept, deleting, children } = props;
  const fields = props.fields ?? [];
  const form = useKept({ ...props, fields });
  const [gone, setGone] = useState(false);
  const [asked, setAsked] = useState(false);
  const denied = useRefused(target, "POST");
  const deleteDenied = useRefused(target, "DELETE");
  const unsaved = form.unsaved && !gone;
  const guard = useUnsaved(unsaved);
  const others = othersIn(kept, fields);
  const news = newsIn(props.answered, kept);
  const actions = (
    <>
      {kept && deleting !== undefined && (
        <Button kind="danger" icon="trash" because={deleteDenied} onClick={() => setAsked(true)}>
          Delete
        </Button>
      )}
      {props.fields && (
        <Button kind="primary" because={denied} disabled={!unsaved && kept !== null} onClick={form.save}>
          {kept ? "Save" : "Create"}
        </Button>
      )}
    </>
  );
  const parts = [props.fields && <Inputs key="inputs" {...props} form={form} fields={fields} title={others.length > 0 ? "Settings" : undefined} disabled={Boolean(denied)} />, others.length > 0 && <Others key="others" {...props} others={others} />];
  return (
    <Page title={title} crumbs={crumbs} lead={kept ? about : `${about} There is none yet: saving makes it.`} actions={actions}>
      {form.refusal && <Note tone="bad">{form.refusal}</Note>}
      <div class="answer-place" aria-live="polite" hidden={!news}>
        {news && <Answered outcome={{ status: news.status, answer: news, text: "", file: null, isCut: false }} about={{}} path={target} made />}
      </div>
      {others.length > fields.length ? parts.reverse() : parts}
      {children}
      <Same target={target} body={form.body} isWrite={props.fields !== null && (kept === null || Object.keys(form.body).length > 0)} />
      {guard}
      {asked && <Delete {...props} onClose={() => setAsked(false)} onGone={() => setGone(true)} />}
    </Page>
  );
}

/** The same by the command line. Where nothing was changed there is nothing to write. */
function Same({ target, body, isWrite }: { target: string; body: Record<string, unknown>; isWrite: boolean }): JSX.Element {
  if (!isWrite) return <Command cli={["read", ...operands(target)]} request={{ method: "GET", path: target }} />;
  const words = wordsOf(body);
  return <Command cli={["write", ...(words.length > 0 ? [] : ["-f"]), ...operands(target, ...words)]} request={{ method: "POST", path: target, body: withoutSecrets(body) }} />;
}

/** The fields that can be written. */
function Inputs({ title, writing, fields, kept, form, disabled }: { title?: string; writing?: string; fields: FieldInfo[]; kept: Props["kept"]; form: ReturnType<typeof useKept>; disabled: boolean }): JSX.Element {
  const { first, values, set, wrong } = form;
  const isKept = ({ name }: FieldInfo) => kept !== null && !same(first[name], "") && !same(first[name], []);
  return (
    <Card title={title}>
      <div class="stack">
        {writing && (
          <p class="muted small">
            <Words text={writing} />
          </p>
        )}
        {fields.length === 0 && <Note>The server describes no fields for this path.</Note>}
        <Fields {...{ fields, values, first, wrong, disabled }} onInput={set} front={(field) => isFront(field, fields) || isKept(field)} />
      </div>
    </Card>
  );
}

/** What can be read and not written. */
function Others({ fields, kept, answer, covered, others }: Pick<Props, "fields" | "kept" | "answer" | "covered"> & { others: [string, unknown][] }): JSX.Element {
  return (
    <Card title={fields ? "What is there besides" : "What is there"} actions={<Copy text={() => print(kept)} words="Copy as JSON" label="Copy as JSON" />}>
      <ShownFacts data={Object.fromEntries(others)} about={answer} covered={covered} />
    </Card>
  );
}

function Delete({ title, target, deleting, onDeleted, onClose, onGone }: Pick<Props, "title" | "target" | "deleting" | "onDeleted"> & { onClose: () => void; onGone: () => void }): JSX.Element {
  return (
    <Confirm
      title={`Delete ${title}?`}
      verb="Delete"
      danger
      onClose={onClose}
      onConfirm={async () => {
        await remove(target);
        onGone();
        toast(`Deleted: ${title}`);
        setTimeout(onDeleted, 0);
      }}
    >
      {deleting}
    </Confirm>
  );
}

/** So many fields of a thing's own stand in the open. */
const OWN_MAX = 12;

/** What a thing itself is about is in sight; what all tokens have is not, but for their policies. */
function isFront({ isRequired, name }: FieldInfo, all: FieldInfo[]): boolean {
  const isCommon = (name: string) => name.startsWith("token_") && name !== "token_policies";
  return isRequired || (!isCommon(name) && all.filter((one) => !isCommon(one.name)).length <= OWN_MAX);
}

/** What is kept that no input stands for. */
function othersIn(kept: Props["kept"], fields: FieldInfo[]): [string, unknown][] {
  const isInput = (name: string) => fields.some((field) => field.name === name);
  const isEmpty = (value: unknown) => value === null || value === "" || (Array.isArray(value) && value.length === 0);
  // What has no inputs at all is people's own: nothing of it is left out.
  return Object.entries(kept ?? {}).filter(([name, value]) => fields.length === 0 || (!isInput(name) && !isEmpty(value) && !(isGroup(value) && Object.keys(value).every(isInput))));
}

/** What a write answered that can not be read again: the picture of a code, a secret that is told once. */
function newsIn(answered: Answer<unknown> | null, kept: Props["kept"]): Answer<unknown> | null {
  if (!answered || !isGroup(answered.data)) return null;
  const data = Object.fromEntries(Object.entries(answered.data).filter(([name]) => !kept || !(name in kept)));
  return Object.keys(data).length > 0 ? { ...answered, data, warnings: [] } : null;
}

/** What is at a path; null if nothing is, or if it can not be read. */
export async function readOrNone(target: string, signal: AbortSignal): Promise<Record<string, unknown> | null> {
  try {
    return (await read(target, { signal, exact: true })).data;
  } catch (error) {
    if (error instanceof ApiError && (error.isMissing || error.status === 405)) return null;
    throw error;
  }
}
