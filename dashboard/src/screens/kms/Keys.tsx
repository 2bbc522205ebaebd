import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useDenied } from "../../ui/useDenied";
import { go, href } from "../../shell/router";
import { Badge, Button, Card, Command, Empty, Field, Loading, Table, Trouble, useLoad } from "../../ui";
import { keys, keySegment, mountFlag, placeOfKey, STATES, USAGES, type Listed } from "./kms";
import { NewKey } from "./NewKey";

/** The master keys of an engine, a page at a time. */
export function Keys({ mount }: { mount: string }): JSX.Element {
  const first = useLoad((signal) => keys(mount, "", signal), [mount]);
  const [more, setMore] = useState<{ keys: Listed[]; next: string } | null>(null);
  const [wanted, setWanted] = useState("");
  const [making, setMaking] = useState(false);
  const denied = useDenied(`${mount}/keys`, "update");
  useEffect(() => setMore(null), [first.data]);
  const all = [...(first.data?.keys ?? []), ...(more?.keys ?? [])];
  const next = more ? more.next : (first.data?.next ?? "");
  const needle = wanted.trim().toLowerCase();
  const rows = all.filter((key) => [key.id, key.description, ...key.aliases].some((text) => text.toLowerCase().includes(needle)));
  const loadMore = async () => {
    const page = await keys(mount, next);
    setMore({ keys: [...(more?.keys ?? []), ...page.keys], next: page.next });
  };
  return (
    <>
      <Card
        flush
        title="Master keys"
        actions={
          <Button kind="primary" icon="plus" because={denied} onClick={() => setMaking(true)}>
            New master key
          </Button>
        }
      >
        {first.error && !first.data ? (
          <>
            <Trouble error={first.error} what="the master keys" onRetry={first.reload} />
            <OpenByName mount={mount} />
          </>
        ) : !first.data ? (
          <Loading />
        ) : all.length === 0 ? (
          <Empty icon="secrets" title="There is no master key yet" text={denied ? "And your token may not make one." : "Make the first one: it encrypts the keys of your data, and never leaves."} />
        ) : (
          <>
            <div class="search-head">
              <Field label="Search by alias, description or id" bare type="search" placeholder={`Search by alias, description or id${next ? ", in what is shown" : ""}`} value={wanted} onInput={setWanted} />
            </div>
            <Table
              label="Master keys"
              rows={rows}
              rowKey={({ id }) => id}
              empty={<Empty icon="search" title="No key has that in it" />}
              columns={[
                { head: "Key", cell: (key) => <Name mount={mount} of={key} /> },
                { head: "Description", cell: ({ description }) => <span class="break">{description || <span class="muted">–</span>}</span> },
                { head: "Kind", cell: ({ key_spec }) => <code>{key_spec}</code> },
                { head: "Use", cell: ({ key_usage }) => USAGES[key_usage] ?? key_usage },
                { head: "State", cell: ({ key_state }) => <StateBadge of={key_state} /> },
              ]}
            />
            {next && (
              <div class="more-foot row">
                <Button size="small" onClick={loadMore}>
                  Show more
                </Button>
                <span class="muted small">{all.length.toLocaleString()} so far</span>
              </div>
            )}
          </>
        )}
      </Card>
      <Command cli={["kms", "list", ...mountFlag(mount)]} request={{ method: "GET", path: `${mount}/keys`, query: { list: true } }} />
      {making && <NewKey mount={mount} onClose={() => setMaking(false)} onPart={first.reload} />}
    </>
  );
}

function Name({ mount, of: { id, aliases } }: { mount: string; of: Listed }): JSX.Element {
  return (
    <span class="key-name">
      <a class="mono break" href={href(placeOfKey(mount, id))}>
        {aliases[0] ?? id}
      </a>
      {aliases.length > 0 && <span class="muted small mono break">{[...aliases.slice(1, 3), ...(aliases.length > 3 ? [`${aliases.length - 3} more`] : []), id].join(", ")}</span>}
    </span>
  );
}

/** The state of a key in a word. */
export function StateBadge({ of }: { of: Listed["key_state"] }): JSX.Element {
  const known = STATES[of];
  return <Badge tone={known?.tone ?? ""}>{known?.word ?? of}</Badge>;
}

/** Which keys there are may be secret to a token that may still use some of them. */
function OpenByName({ mount }: { mount: string }): JSX.Element {
  const [name, setName] = useState("");
  return (
    <form
      class="open-by-name"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) go(placeOfKey(mount, keySegment(name.trim())));
      }}
    >
      <Field label="Open a key by its id or alias" value={name} onInput={setName} mono placeholder="alias/app" />
      <Button type="submit" disabled={!name.trim()}>
        Open
      </Button>
    </form>
  );
}
