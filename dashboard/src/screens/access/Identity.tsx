import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { list, read, remove, write } from "../../api/client";
import { go, href, path } from "../../shell/router";
import { Button, Card, Check, Command, Confirm, Copy, Empty, Facts, Field, LinkButton, Loading, Note, Page, sentence, Table, toast, Trouble, useLoad, warned, when } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";
import { useDenied } from "../../ui/useDenied";
import { useUnsaved } from "../../ui/useUnsaved";
import type { ScreenProps } from "../types";
import { SORTS, type Sort } from "./Entities";
import { Clash } from "./Clash";
import { splitNames } from "./names";
import { bodyOf, changedIn, clashesOf, rebased, wordsOf, writtenOf, type Kept as Writable, type Written } from "./written";

interface Alias {
  id: string;
  name: string;
  mount_path: string;
  mount_type: string;
}
interface Kept extends Writable {
  id: string;
  creation_time: string;
  last_update_time: string;
  aliases?: Alias[];
  alias?: Partial<Alias>;
  merged_entity_ids?: string[] | null;
  direct_group_ids?: string[];
  inherited_group_ids?: string[];
  type?: string;
  parent_group_ids?: string[] | null;
}

/** One entity or group. */
export function Identity({ sort, params }: ScreenProps & { sort: Sort }): JSX.Element {
  const { base, place, title } = SORTS[sort];
  const id = params.id ?? "";
  const { data, error, reload } = useLoad(async (signal) => (await read<Kept>(`${base}/id/${id}`, { signal })).data, [id]);
  const crumbs = [{ title, path: `/access/${place}` }];
  if (data) return <Form key={data.id} sort={sort} kept={data} reload={reload} />;
  return (
    <Page title={id} crumbs={crumbs}>
      {error ? <Trouble error={error} what={`this ${SORTS[sort].one}`} onRetry={reload} /> : <Loading />}
    </Page>
  );
}

function Form({ sort, kept, reload }: { sort: Sort; kept: Kept; reload: () => void }): JSX.Element {
  const { base, place, title, one } = SORTS[sort];
  // What the inputs hold, and what of the server's they began with.
  const [{ form, first }, setState] = useState(() => ({ form: writtenOf(kept), first: writtenOf(kept) }));
  const [theirs, setTheirs] = useState<Written | null>(null);
  const [asked, setAsked] = useState<"delete" | "merge" | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [gone, setGone] = useState(false);
  const target = `${base}/id/${kept.id}`;
  const denied = useDenied(target, "update");
  const deleteDenied = useDenied(target, "delete");
  const mergeDenied = useDenied("identity/entity/merge", "update");
  const known = useLoad((signal) => list("sys/policies/acl", { signal }).catch(() => []), []);
  const unsaved = !gone && changedIn(form, first).length > 0;
  const guard = useUnsaved(unsaved);
  const change = (part: Partial<Written>) => setState({ form: { ...form, ...part }, first });
  const isExternal = kept.type === "external";
  const { body, wrong: unread } = bodyOf(form, first);
  const clashes = theirs ? clashesOf(form, first, theirs) : [];
  // What was read again takes nothing from what is being typed.
  useEffect(() => setState((last) => rebased(last.form, last.first, writtenOf(kept))), [kept]);
  const save = async () => {
    setWrong(null);
    try {
      // The server has no check-and-set for these; a look right before is the next best.
      const now = writtenOf((await read<Kept>(target)).data);
      if (clashesOf(form, first, now).length > 0) return setTheirs(now);
      setTheirs(null);
      warned((await write(target, body)).warnings);
      toast(`Saved: ${form.name}`);
      setState((last) => ({ ...last, first: form }));
      reload();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  const take = (now: Written) => {
    const ours = changedIn(form, first).filter((part) => !clashes.includes(part));
    setState({ form: { ...now, ...Object.fromEntries(ours.map((part) => [part, form[part]])) }, first: now });
    setTheirs(null);
    reload();
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
          <Button kind="primary" because={denied || unread || false} disabled={!unsaved} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      {kept.disabled && <Note tone="warn" title="Disabled">Its tokens are refused, and it gets no new ones.</Note>}
      {wrong && <Note tone="bad">{wrong}</Note>}
      {theirs && clashes.length > 0 && <Clash clashes={clashes} theirs={theirs} onTake={() => take(theirs)} />}
      <div class="halves">
        <Card title="What it has">
          <div class="stack">
            <Field label="Name" value={form.name} onInput={(name) => change({ name })} disabled={Boolean(denied)} />
            <Field label="Policies" mono value={form.policies} onInput={(policies) => change({ policies })} choices={known.data} disabled={Boolean(denied)} hint="Separated by commas." />
            <Field label="Metadata" type="textarea" mono rows={3} value={form.metadata} onInput={(metadata) => change({ metadata })} disabled={Boolean(denied)} wrong={unread} hint="name=value, one a line; or JSON." />
            {sort === "entity" && <Check label="Disabled" checked={form.disabled} onInput={(disabled) => change({ disabled })} hint="Its tokens are refused while it is." disabled={Boolean(denied)} />}
            {sort === "group" && !isExternal && (
              <>
                <Field label="Member entities" type="textarea" mono rows={3} value={form.member_entity_ids} onInput={(member_entity_ids) => change({ member_entity_ids })} disabled={Boolean(denied)} hint="Ids, one a line." />
                <Field label="Member groups" type="textarea" mono rows={2} value={form.member_group_ids} onInput={(member_group_ids) => change({ member_group_ids })} disabled={Boolean(denied)} hint="Ids, one a line." />
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
      <Command cli={unsaved ? ["write", target, ...wordsOf(body)] : ["read", target]} request={unsaved ? { method: "POST", path: target, body } : { method: "GET", path: target }} />
      {guard}
      {asked === "delete" && (
        <Confirm
          title={`Delete the ${one} ${kept.name}?`}
          verb="Delete"
          danger
          onClose={() => setAsked(null)}
          onConfirm={async () => {
            await remove(target);
            setGone(true);
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
