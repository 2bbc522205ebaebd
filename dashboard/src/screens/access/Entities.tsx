import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listWithInfo, write } from "../../api/client";
import { go, href, path } from "../../shell/router";
import { Button, Card, Command, Dialog, Empty, Field, Loading, Note, Page, sentence, Table, Trouble, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";

interface Info {
  name: string;
  aliases?: { name: string; mount_path: string; mount_type: string }[];
}
const SHOWN_MAX = 300;

/** What entities and groups have in common, in words. */
export const SORTS = {
  entity: { base: "identity/entity", place: "entities", title: "Entities", one: "entity", lead: "People and machines, whichever way they sign in. Policies given to an entity are in each of its tokens." },
  group: { base: "identity/group", place: "groups", title: "Groups", one: "group", lead: "Policies for many: what a group has, the tokens of its members have." },
} as const;
export type Sort = keyof typeof SORTS;

export default function Entities(): JSX.Element {
  return <Listing sort="entity" />;
}

/** The entities or groups of this namespace. */
export function Listing({ sort }: { sort: Sort }): JSX.Element {
  const { base, place, title, one, lead } = SORTS[sort];
  const [sought, setSought] = useState("");
  const [making, setMaking] = useState(false);
  const denied = useDenied(base, "update");
  const { data, error, reload } = useLoad((signal) => listWithInfo<Info>(`${base}/id`, { signal }), []);
  const rows = (data?.keys ?? []).map((id) => ({ id, ...(data?.info[id] ?? { name: id }) }));
  const words = ({ id, name, aliases }: Info & { id: string }) => [id, name, ...(aliases ?? []).map((alias) => alias.name)].join(" ").toLowerCase();
  const found = rows.filter((row) => words(row).includes(sought.toLowerCase()));
  return (
    <Page
      title={title}
      lead={lead}
      actions={
        <Button kind="primary" icon="plus" because={denied} onClick={() => setMaking(true)}>
          New {one}
        </Button>
      }
    >
      {error ? <Trouble error={error} what={title.toLowerCase()} onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <>
          {rows.length > 8 && <Field label={`Find ${title.toLowerCase()}`} bare type="search" placeholder="Find by name, alias or id" value={sought} onInput={setSought} />}
          <Card flush>
            <Table
              label={title}
              rows={found.slice(0, SHOWN_MAX)}
              rowKey={({ id }) => id}
              empty={rows.length ? <Empty icon="search" title="Nothing has that in its name" /> : <Empty icon="access" title={`No ${title.toLowerCase()} yet`} text={sort === "entity" ? "The first login of somebody makes one." : "A group gives its policies to its members."} />}
              columns={[
                { head: "Name", cell: ({ id, name }) => <a class="break" href={href(path("access", place, id))}>{name || id}</a> },
                ...(sort === "entity" ? [{ head: "Signs in as", cell: ({ aliases }: Info) => <span class="break">{aliases?.map((alias) => `${alias.name} (${alias.mount_path})`).join(", ") || "no alias"}</span> }] : []),
                { head: "Id", cell: ({ id }) => <code class="muted break">{id}</code> },
              ]}
            />
          </Card>
          {found.length > SHOWN_MAX && <p class="muted small">{found.length - SHOWN_MAX} more: find them by name.</p>}
        </>
      )}
      <Command cli={["list", `${base}/id`]} request={{ method: "LIST", path: `${base}/id` }} />
      {making && <New sort={sort} onClose={() => setMaking(false)} />}
    </Page>
  );
}

function New({ sort, onClose }: { sort: Sort; onClose: () => void }): JSX.Element {
  const { base, place, one } = SORTS[sort];
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const create = async () => {
    setWrong(null);
    try {
      // By its name, an update would change somebody who has it already.
      const { data } = await write<{ id?: string } | null>(base, { name: name.trim() });
      if (!data?.id) throw new Error(`there is a ${one} of that name already`);
      onClose();
      go(path("access", place, data.id));
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Dialog title={`New ${one}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Field label="Name" value={name} onInput={setName} required autoFocus hint="Policies and the rest come next." />
        {wrong && <Note tone="bad">{wrong}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!name.trim()}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
