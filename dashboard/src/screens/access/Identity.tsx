import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, read, remove, write } from "../../api/client";
import { go, href, path } from "../../shell/router";
import { Button, Card, Check, Command, Confirm, Copy, Empty, Facts, Field, LinkButton, Loading, Note, Page, sentence, Table, toast, Trouble, useLoad, warned, when } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import type { ScreenProps } from "../types";
import { SORTS, type Sort } from "./Entities";
import { linesOf, pairsOf, splitNames } from "./names";

interface Alias {
  id: string;
  name: string;
  mount_path: string;
  mount_type: string;
}
interface Kept {
  id: string;
  name: string;
  policies: string[] | null;
  metadata: Record<string, string> | null;
  creation_time: string;
  last_update_time: string;
  disabled?: boolean;
  aliases?: Alias[];
  alias?: Partial<Alias>;
  merged_entity_ids?: string[] | null;
  direct_group_ids?: string[];
  inherited_group_ids?: string[];
  type?: string;
  member_entity_ids?: string[] | null;
  member_group_ids?: string[] | null;
  parent_group_ids?: string[] | null;
}

/** One entity or group. */
export function Identity({ sort, params }: ScreenProps & { sort: Sort }): JSX.Element {
  const { base, place, title } = SORTS[sort];
  const id = params.id ?? "";
  const { data, error, reload } = useLoad(async (signal) => (await read<Kept>(`${base}/id/${id}`, { signal })).data, [id]);
  const crumbs = [{ title, path: `/access/${place}` }];
  if (data) return <Form key={data.last_update_time} sort={sort} kept={data} reload={reload} />;
  return (
    <Page title={id} crumbs={crumbs}>
      {error ? <Trouble error={error} what={`this ${SORTS[sort].one}`} onRetry={reload} /> : <Loading />}
    </Page>
  );
}

function Form({ sort, kept, reload }: { sort: Sort; kept: Kept; reload: () => void }): JSX.Element {
  const { base, place, title, one } = SORTS[sort];
  const first = {
    name: kept.name,
    policies: (kept.policies ?? []).join(", "),
    metadata: linesOf(kept.metadata),
    disabled: kept.disabled ?? false,
    entities: (kept.member_entity_ids ?? []).join("\n"),
    groups: (kept.member_group_ids ?? []).join("\n"),
  };
  const [form, setForm] = useState(first);
  const [asked, setAsked] = useState<"delete" | "merge" | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [saved, setSaved] = useState(false);
  const target = `${base}/id/${kept.id}`;
  const denied = useDenied(target, "update");
  const deleteDenied = useDenied(target, "delete");
  const mergeDenied = useDenied("identity/entity/merge", "update");
  const known = useLoad((signal) => list("sys/policies/acl", { signal }).catch(() => []), []);
  const unsaved = !saved && JSON.stringify(form) !== JSON.stringify(first);
  const guard = useUnsaved(unsaved);
  const change = (part: Partial<typeof first>) => setForm({ ...form, ...part });
  const isExternal = kept.type === "external";
  const body = {
    name: form.name.trim(),
    policies: splitNames(form.policies),
    metadata: pairsOf(form.metadata),
    ...(sort === "entity" ? { disabled: form.disabled } : {}),
    ...(sort === "group" && !isExternal ? { member_entity_ids: splitNames(form.entities), member_group_ids: splitNames(form.groups) } : {}),
  };
  const save = async () => {
    setWrong(null);
    try {
      warned((await write(target, body)).warnings);
      toast(`Saved: ${form.name}`);
      reload();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Page
      title={kept.name || kept.id}
      crumbs={[{ title, path: `/access/${place}` }]}
      actions={
        <>
          {sort === "entity" && (
            <>
              <LinkButton href={href(`/access/explain?entity=${encodeURIComponent(kept.id)}`)}>Explain what it may do</LinkButton>
              <Button because={mergeDenied} onClick={() => setAsked("merge")}>
                Merge
              </Button>
            </>
          )}
          <Button kind="danger" icon="trash" because={deleteDenied} onClick={() => setAsked("delete")}>
            Delete
          </Button>
          <Button kind="primary" because={denied} disabled={!unsaved} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      {kept.disabled && <Note tone="warn" title="Disabled">Its tokens are refused, and it gets no new ones.</Note>}
      {wrong && <Note tone="bad">{wrong}</Note>}
      <div class="halves">
        <Card title="What it has">
          <div class="stack">
            <Field label="Name" value={form.name} onInput={(name) => change({ name })} disabled={Boolean(denied)} />
            <Field label="Policies" mono value={form.policies} onInput={(policies) => change({ policies })} choices={known.data} disabled={Boolean(denied)} hint="Separated by commas." />
            <Field label="Metadata" type="textarea" mono rows={3} value={form.metadata} onInput={(metadata) => change({ metadata })} disabled={Boolean(denied)} hint="name=value, one a line." />
            {sort === "entity" && <Check label="Disabled" checked={form.disabled} onInput={(disabled) => change({ disabled })} hint="Its tokens are refused while it is." disabled={Boolean(denied)} />}
            {sort === "group" && !isExternal && (
              <>
                <Field label="Member entities" type="textarea" mono rows={3} value={form.entities} onInput={(entities) => change({ entities })} disabled={Boolean(denied)} hint="Ids, one a line." />
                <Field label="Member groups" type="textarea" mono rows={2} value={form.groups} onInput={(groups) => change({ groups })} disabled={Boolean(denied)} hint="Ids, one a line." />
              </>
            )}
          </div>
        </Card>
        <Card title="Facts">
          <Facts
            facts={[
              ["Id", <span class="row"><code>{kept.id}</code><Copy text={kept.id} label="Copy the id" /></span>],
              ["Made", when(kept.creation_time)],
              ["Changed", when(kept.last_update_time)],
              ["Kind", kept.type ?? null],
              ["In groups", kept.direct_group_ids?.length ? <Links place="groups" ids={kept.direct_group_ids} /> : null],
              ["In their groups", kept.inherited_group_ids?.length ? <Links place="groups" ids={kept.inherited_group_ids} /> : null],
              ["Parent groups", kept.parent_group_ids?.length ? <Links place="groups" ids={kept.parent_group_ids} /> : null],
              ["Members", kept.member_entity_ids?.length ? <Links place="entities" ids={kept.member_entity_ids} /> : null],
              ["Merged from", kept.merged_entity_ids?.length ? kept.merged_entity_ids.join(", ") : null],
              ["Alias", kept.alias?.name ? `${kept.alias.name} (${kept.alias.mount_path})` : null],
            ]}
          />
        </Card>
      </div>
      {sort === "entity" && <Aliases entity={kept} reload={reload} />}
      <Command cli={["write", target, ...(body.policies.length ? [`policies=${body.policies.join(",")}`] : []), `name=${body.name}`]} request={{ method: "POST", path: target, body }} />
      {guard}
      {asked === "delete" && (
        <Confirm
          title={`Delete the ${one} ${kept.name}?`}
          verb="Delete"
          danger
          onClose={() => setAsked(null)}
          onConfirm={async () => {
            await remove(target);
            setSaved(true);
            toast(`Deleted: ${kept.name}`);
            setTimeout(() => go(`/access/${place}`), 0);
          }}
        >
          {sort === "entity" ? "Its tokens are refused from then on, and its aliases and memberships go with it. The next login makes a new entity." : "Its members lose the policies that they have by it."}
        </Confirm>
      )}
      {asked === "merge" && <Merge into={kept} onClose={() => setAsked(null)} onDone={reload} />}
    </Page>
  );
}

function Aliases({ entity, reload }: { entity: Kept; reload: () => void }): JSX.Element {
  const [gone, setGone] = useState<Alias | null>(null);
  const [adding, setAdding] = useState(false);
  const aliases = entity.aliases ?? [];
  const denied = useDenied("identity/entity-alias", "update");
  return (
    <Card
      title="Aliases"
      flush
      actions={
        <Button size="small" icon="plus" because={denied} onClick={() => setAdding(true)}>
          Add
        </Button>
      }
    >
      <Table
        label="Aliases"
        rows={aliases}
        rowKey={({ id }) => id}
        empty={<Empty title="No alias" text="Nobody signs in as this entity yet." />}
        columns={[
          { head: "Name", cell: ({ name }) => <span class="break">{name}</span> },
          { head: "Method", cell: ({ mount_path, mount_type }) => `${mount_path} (${mount_type})` },
          { head: "Actions", actions: true, cell: (alias) => <AllowedButton path={`identity/entity-alias/id/${alias.id}`} needs="delete" size="small" kind="danger" label={`Remove the alias ${alias.name}`} onClick={() => setGone(alias)}>Remove</AllowedButton> },
        ]}
      />
      {gone && (
        <Confirm
          title={`Remove the alias ${gone.name}?`}
          verb="Remove"
          danger
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await remove(`identity/entity-alias/id/${gone.id}`);
            reload();
          }}
        >
          Whoever signs in as {gone.name} at {gone.mount_path} is a new entity the next time, without the policies of this one.
        </Confirm>
      )}
      {adding && <AddAlias entity={entity} onClose={() => setAdding(false)} onDone={reload} />}
    </Card>
  );
}

function AddAlias({ entity, onClose, onDone }: { entity: Kept; onClose: () => void; onDone: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [mount, setMount] = useState("");
  const mounts = useLoad(async (signal) => (await read<Record<string, { accessor: string }>>("sys/auth", { signal })).data, []);
  const accessor = mounts.data?.[`${mount.trim().replace(/\/$/, "")}/`]?.accessor;
  return (
    <Confirm
      title="Add an alias"
      verb="Add"
      onClose={onClose}
      onConfirm={async () => {
        if (!accessor) throw new Error("Choose one of the auth methods of this namespace.");
        await write("identity/entity-alias", { name: name.trim(), mount_accessor: accessor, canonical_id: entity.id });
        onDone();
      }}
    >
      <div class="stack">
        <p>Whoever signs in at that method by that name is {entity.name}.</p>
        <Field label="Auth method" mono value={mount} onInput={setMount} choices={Object.keys(mounts.data ?? {})} required />
        <Field label="Name there" value={name} onInput={setName} required />
      </div>
    </Confirm>
  );
}

function Merge({ into, onClose, onDone }: { into: Kept; onClose: () => void; onDone: () => void }): JSX.Element {
  const [from, setFrom] = useState("");
  return (
    <Confirm
      title={`Merge others into ${into.name}`}
      verb="Merge"
      danger
      onClose={onClose}
      onConfirm={async () => {
        warned((await write("identity/entity/merge", { to_entity_id: into.id, from_entity_ids: splitNames(from) })).warnings);
        toast("Merged");
        onDone();
      }}
    >
      <div class="stack">
        <p>Their aliases and policies come to this entity, and they themselves are gone. That can not be taken back.</p>
        <Field label="Ids of the others" type="textarea" mono rows={3} value={from} onInput={setFrom} hint="One a line." />
      </div>
    </Confirm>
  );
}

const Links = ({ place, ids }: { place: string; ids: string[] }): JSX.Element => (
  <ul>
    {ids.map((id) => (
      <li key={id}>
        <a class="mono break" href={href(path("access", place, id))}>
          {id}
        </a>
      </li>
    ))}
  </ul>
);
