import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, read, remove, write } from "../../api/client";
import { go, path } from "../../shell/router";
import { Button, Card, Command, Confirm, Loading, Note, Page, sentence, toast, Trouble, useLoad, warned } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import type { ScreenProps } from "../types";
import { described, type Collection, type FieldInfo } from "./description";
import { changed, FieldInput, shown, type Values } from "./FieldInput";

/** One user, role or configuration of an auth method, by the fields that the server describes. */
export default function Entry({ params }: ScreenProps): JSX.Element {
  const { mount: at = "", kind = "", name } = params;
  const target = `auth/${at}/${kind}${name === undefined ? "" : `/${name}`}`;
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [about, kept] = await Promise.all([described(at), readOrNone(target, signal)]);
      const found = (name === undefined ? about.settings : about.collections).find((one) => one.path === kind);
      return { collection: { path: kind, about: found?.about ?? "", fields: (found?.fields ?? []).filter((field) => !isOldName(field)).sort(ownFirst) }, kept };
    },
    [target],
  );
  const crumbs = [
    { title: "Auth methods", path: "/access/auth" },
    { title: `auth/${at}/`, path: path("access", "auth", at) },
  ];
  if (data) return <Form key={JSON.stringify(data.kept)} {...{ at, kind, name, target, crumbs, reload }} {...data} />;
  return (
    <Page title={name ?? kind} crumbs={crumbs}>
      {error ? <Trouble error={error} what={target} onRetry={reload} /> : <Loading />}
    </Page>
  );
}

interface Props {
  at: string;
  kind: string;
  name?: string;
  target: string;
  crumbs: { title: string; path: string }[];
  collection: Collection;
  kept: Record<string, unknown> | null;
  reload: () => void;
}

function Form({ at, kind, name, target, crumbs, collection, kept, reload }: Props): JSX.Element {
  const first: Values = Object.fromEntries(collection.fields.map((field) => [field.name, shown(field, kept?.[field.name])]));
  const [values, setValues] = useState(first);
  const [wrong, setWrong] = useState<string | null>(null);
  const [asked, setAsked] = useState(false);
  const [gone, setGone] = useState(false);
  const denied = useDenied(target, kept ? "update" : "create");
  const deleteDenied = useDenied(target, "delete");
  const unsaved = !gone && JSON.stringify(values) !== JSON.stringify(first);
  const guard = useUnsaved(unsaved);
  const { body, wrong: unread } = changed(collection.fields, values, first);
  const save = async () => {
    setWrong(null);
    try {
      warned((await write(target, body)).warnings);
      toast("Saved");
      setValues(first);
      reload();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  const isSecret = (field: string) => collection.fields.some((one) => one.name === field && /password|secret|private|key$|^pem/.test(one.name));
  const hidden = Object.fromEntries(Object.entries(body).map(([field, value]) => [field, isSecret(field) ? "…" : value]));
  const words = Object.entries(hidden).map(([field, value]) => `${field}=${typeof value === "object" ? (Array.isArray(value) ? value.join(",") : "…") : String(value)}`);
  return (
    <Page
      title={name ?? kind}
      crumbs={crumbs}
      lead={kept ? collection.about : `${collection.about} There is none yet: saving makes it.`}
      actions={
        <>
          {kept && name !== undefined && (
            <Button kind="danger" icon="trash" because={deleteDenied} onClick={() => setAsked(true)}>
              Delete
            </Button>
          )}
          <Button kind="primary" because={denied || unread || false} disabled={!unsaved && kept !== null} onClick={save}>
            {kept ? "Save" : "Create"}
          </Button>
        </>
      }
    >
      {wrong && <Note tone="bad">{wrong}</Note>}
      <Card>
        <div class="stack">
          {collection.fields.length === 0 && <Note>The server describes no fields for this path.</Note>}
          {collection.fields.map((field) => (
            <FieldInput key={field.name} field={field} value={values[field.name] ?? ""} onInput={(value) => setValues({ ...values, [field.name]: value })} disabled={Boolean(denied)} />
          ))}
        </div>
      </Card>
      <Command cli={["write", target, ...words]} request={{ method: "POST", path: target, body: hidden }} />
      {guard}
      {asked && (
        <Confirm
          title={`Delete ${name}?`}
          verb="Delete"
          danger
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await remove(target);
            setGone(true);
            toast(`Deleted: ${name}`);
            setTimeout(() => go(path("access", "auth", at)), 0);
          }}
        >
          Nobody can sign in by it any more. Tokens that were issued live on until they end or are revoked.
        </Confirm>
      )}
    </Page>
  );
}

/** What a method itself is about stands before what all methods have. */
const ownFirst = (one: FieldInfo, other: FieldInfo): number => Number(one.name.startsWith("token_")) - Number(other.name.startsWith("token_"));
const isOldName = ({ about }: FieldInfo): boolean => /^The old name of/.test(about);

async function readOrNone(target: string, signal: AbortSignal): Promise<Record<string, unknown> | null> {
  try {
    return (await read(target, { signal })).data;
  } catch (error) {
    if (error instanceof ApiError && (error.isMissing || error.status === 405)) return null;
    throw error;
  }
}
