import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, read, remove, write } from "../../api/client";
import { go, path } from "../../shell/router";
import { Badge, Button, Card, Command, Confirm, Diff, Field, Loading, Note, operands, Page, sentence, toast, Trouble, useLoad, warned, when } from "../../ui";
import { HclEditor } from "../../ui/HclEditor";
import { lineOf } from "../../ui/hcl";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import type { ScreenProps } from "../types";
import { Meanwhile } from "./Meanwhile";

interface Kept {
  name: string;
  policy: string;
  version?: number;
  modified?: string;
}

const EXAMPLE = `# What is granted, and to whom it is meant to be given.
path "secret/data/app/*" {
  capabilities = ["read"]
}
`;
/** No policy has this version, so a write with it is judged and then not done. */
const NO_VERSION = 2_147_483_647;

/** One policy: read, change, check, delete. Without a name: a new one. */
export default function Policy({ params }: ScreenProps): JSX.Element {
  const name = params.name;
  const kept = useLoad(async (signal) => (name ? (await read<Kept>(`sys/policies/acl/${name}`, { signal })).data : null), [name]);
  const crumbs = [{ title: "Policies", path: "/access/policies" }];
  if (kept.error && kept.data === undefined) {
    return (
      <Page title={name ?? "New policy"} crumbs={crumbs}>
        <Trouble error={kept.error} what="this policy" onRetry={kept.reload} />
      </Page>
    );
  }
  if (kept.data === undefined) return <Page title={name ?? "New policy"} crumbs={crumbs} children={<Loading />} />;
  return <Editor key={`${name} ${kept.data?.version} ${kept.data?.modified}`} kept={kept.data} reload={kept.reload} />;
}

function Editor({ kept, reload }: { kept: Kept | null; reload: () => void }): JSX.Element {
  const before = kept?.policy ?? EXAMPLE;
  const [name, setName] = useState(kept?.name ?? "");
  const [text, setText] = useState(before);
  const [wrong, setWrong] = useState<string | null>(null);
  const [checked, setChecked] = useState(false);
  const [saved, setSaved] = useState(false);
  const [asked, setAsked] = useState<"delete" | null>(null);
  // What somebody else wrote while this was being edited.
  const [theirs, setTheirs] = useState<{ policy: string; version: number } | null>(null);
  const named = kept?.name ?? name.trim();
  const target = `sys/policies/acl/${named || "NAME"}`;
  const changeDenied = useDenied(target, kept ? "update" : "create");
  const deleteDenied = useDenied(target, "delete");
  const isRoot = kept?.name === "root";
  const unsaved = !saved && (kept ? text !== before : text !== before || name !== "");
  const guard = useUnsaved(unsaved);
  const nameWrong = !kept && name.trim() === "" ? "Give it a name first" : null;
  useEffect(() => {
    if (saved && !kept) go(path("access", "policies", "edit", named), { replace: true });
  }, [saved]);

  const change = (next: string) => {
    setText(next);
    setWrong(null);
    setChecked(false);
  };
  const rename = (next: string) => {
    setName(next);
    setTheirs(null);
  };
  const refused = (error: unknown) => {
    if (!(error instanceof ApiError) || error.isDenied) throw error;
    setWrong(sentence(error.message));
  };
  const check = async () => {
    setWrong(null);
    setChecked(false);
    try {
      await write(target, { policy: text, cas: NO_VERSION });
    } catch (error) {
      if (isConflict(error)) return setChecked(true);
      refused(error);
    }
  };
  const save = async (cas = kept ? kept.version : 0) => {
    setWrong(null);
    try {
      warned((await write(target, { policy: text, cas })).warnings);
      toast(`The policy ${named} is saved`);
      setSaved(true);
      if (kept) reload();
    } catch (error) {
      if (isConflict(error)) return setTheirs(await meanwhile(target));
      refused(error);
    }
  };
  const takeTheirs = () => (kept ? reload() : setSaved(true));
  const canSave = unsaved && !changeDenied && !nameWrong && !isRoot && !theirs;
  return (
    <Page
      title={kept?.name ?? "New policy"}
      crumbs={[{ title: "Policies", path: "/access/policies" }]}
      lead={kept && <span class="row">{facts(kept)}{unsaved && <Badge tone="warn">not saved</Badge>}</span>}
      actions={
        <>
          {kept && !isRoot && kept.name !== "default" && (
            <Button kind="danger" icon="trash" because={deleteDenied} onClick={() => setAsked("delete")}>
              Delete
            </Button>
          )}
          {!isRoot && (
            <>
              <Button icon="check" because={changeDenied || nameWrong || false} onClick={check}>
                Check
              </Button>
              <Button kind="primary" because={changeDenied || nameWrong || (theirs !== null && "Settle the conflict first")} disabled={!canSave} onClick={() => save()}>
                Save
              </Button>
            </>
          )}
        </>
      }
    >
      {isRoot && <Note title="root allows everything">It is built in and has no rules to change. Give it to nobody for long.</Note>}
      {theirs && <Conflict version={theirs.version} onTake={takeTheirs} onKeep={() => save(theirs.version)} />}
      {!kept && <Field label="Name" value={name} onInput={rename} mono required hint="Lower case; tokens, roles and groups name it." />}
      {!isRoot && <HclEditor label="Rules" text={text} onInput={change} wrong={wrong} wrongLine={wrong ? lineOf(wrong) : null} readOnly={Boolean(changeDenied)} onSave={() => canSave && void save()} />}
      <div role="status">{checked && <Note tone="good">The server understands these rules. Nothing was saved.</Note>}</div>
      {((kept && unsaved) || theirs) && (
        <Card title={theirs ? "From theirs to yours" : "What changes"} flush>
          <Diff before={theirs?.policy ?? before} after={text} label={theirs ? "From theirs to yours" : "What changes"} />
        </Card>
      )}
      <Command cli={["policy", "write", ...operands(named || "NAME", "FILE.hcl")]} request={{ method: "POST", path: target, body: { policy: "…" } }} />
      {guard}
      {asked === "delete" && kept && (
        <Confirm
          title={`Delete the policy ${kept.name}?`}
          verb="Delete"
          danger
          onClose={() => setAsked(null)}
          onConfirm={async () => {
            await remove(`sys/policies/acl/${kept.name}`);
            setSaved(true);
            toast(`The policy ${kept.name} is deleted`);
            setTimeout(() => go("/access/policies"), 0);
          }}
        >
          Tokens, roles and groups that name it lose at once what it grants. The names stay with them: a new policy of this name would grant again.
        </Confirm>
      )}
    </Page>
  );
}

/** Somebody else saved this policy, or deleted it: what was typed stays, and either of both can be had. */
function Conflict({ version, onTake, onKeep }: { version: number; onTake: () => void; onKeep: () => Promise<void> }): JSX.Element {
  return (
    <Meanwhile>
      <p>
        {version ? `Nothing was saved, so that nothing of theirs is lost: the policy has version ${version} now.` : "Nothing was saved: the policy was deleted."} Your rules are still in the editor, and below it stands what
        differs from theirs.
      </p>
      <div class="row">
        <Button onClick={onKeep}>{version ? `Save over version ${version}` : "Save it as a new one"}</Button>
        {version > 0 && <Button onClick={onTake}>Load version {version} in place of yours</Button>}
      </div>
    </Meanwhile>
  );
}

/** What is there now; version 0 if nothing is. */
async function meanwhile(target: string): Promise<{ policy: string; version: number }> {
  try {
    const { policy, version = 0 } = (await read<Kept>(target)).data;
    return { policy, version };
  } catch (error) {
    if (error instanceof ApiError && error.isMissing) return { policy: "", version: 0 };
    throw error;
  }
}

/** Whether a write was refused because the policy has another version than it names. */
const isConflict = (error: unknown): boolean => error instanceof ApiError && /check-and-set/.test(error.message);

function facts({ version, modified }: Kept): string {
  return [version ? `Version ${version}` : "", modified ? `changed ${when(modified)}` : ""].filter(Boolean).join(", ");
}
