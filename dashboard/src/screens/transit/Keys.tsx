import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { list } from "../../api/client";
import { useDeniedBelow } from "../../session/below";
import { go, href } from "../../shell/router";
import { Badge, Button, Card, Command, Empty, Field, Loading, Table, Trouble, useLoad } from "../../ui";
import { NewKey } from "./NewKey";
import { key, mountFlag, placeOfKey, type Key } from "./transit";

const SHOWN_AT_ONCE = 50;
const READ_AT_ONCE = 6;

/** The keys of an engine, with what each is. */
export function Keys({ mount }: { mount: string }): JSX.Element {
  const names = useLoad((signal) => list(`${mount}/keys`, { signal }), [mount]);
  const [wanted, setWanted] = useState("");
  const [many, setMany] = useState(SHOWN_AT_ONCE);
  const [making, setMaking] = useState(false);
  const denied = useDeniedBelow(`${mount}/keys/`, "create", "update");
  const found = (names.data ?? []).filter((name) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  const shown = found.slice(0, many);
  const known = useKnown(mount, shown);
  return (
    <>
      <Card
        flush
        title="Keys"
        actions={
          <Button kind="primary" icon="plus" because={denied} onClick={() => setMaking(true)}>
            New key
          </Button>
        }
      >
        {names.error && !names.data ? (
          <NotListed mount={mount} error={names.error} reload={names.reload} />
        ) : !names.data ? (
          <Loading />
        ) : names.data.length === 0 ? (
          <Empty icon="secrets" title="There is no key yet" text={denied ? "And your token may not make one." : "Make the first one: what it encrypts and signs is made here and never leaves."} />
        ) : (
          <>
            <div class="search-head">
              <Field label="Search by name" bare type="search" placeholder="Search by name" value={wanted} onInput={(text) => (setWanted(text), setMany(SHOWN_AT_ONCE))} />
            </div>
            <Table
              label="Keys"
              rows={shown}
              rowKey={(name) => name}
              empty={<Empty icon="search" title="No name has that in it" />}
              columns={[
                {
                  head: "Name",
                  cell: (name) => (
                    <a class="mono break" href={href(placeOfKey(mount, name))}>
                      {name}
                    </a>
                  ),
                },
                { head: "Type", cell: (name) => known[name]?.type ?? <Unknown of={known[name]} /> },
                { head: "Latest version", right: true, cell: (name) => known[name]?.latest ?? <Unknown of={known[name]} /> },
                { head: "State", cell: (name) => <State of={known[name]} /> },
              ]}
            />
            {found.length > many && (
              <div class="more-foot row">
                <Button size="small" onClick={() => setMany(many + SHOWN_AT_ONCE)}>
                  Show more
                </Button>
                <span class="muted small">
                  {many} of {found.length.toLocaleString()}
                </span>
              </div>
            )}
          </>
        )}
      </Card>
      <Command cli={["transit", "keys", "list", ...mountFlag(mount)]} request={{ method: "GET", path: `${mount}/keys`, query: { list: true } }} />
      {making && <NewKey mount={mount} onClose={() => setMaking(false)} />}
    </>
  );
}

function Unknown({ of }: { of: Key | null | undefined }): JSX.Element {
  return <span class="muted">{of === null ? "–" : "…"}</span>;
}

function State({ of }: { of: Key | null | undefined }): JSX.Element {
  if (!of) return <Unknown of={of} />;
  return (
    <span class="row">
      {of.softDeleted ? <Badge tone="warn">out of use</Badge> : <Badge tone="good">in use</Badge>}
      {of.derived && <Badge>derived</Badge>}
      {of.exportable && <Badge>exportable</Badge>}
      {of.imported && <Badge>imported</Badge>}
    </span>
  );
}

/** What the keys are, a few at a time; null where the token may not look. */
function useKnown(mount: string, names: string[]): Record<string, Key | null> {
  const [known, setKnown] = useState<Record<string, Key | null>>({});
  useEffect(() => {
    const ending = new AbortController();
    const waiting = names.filter((name) => known[name] === undefined);
    const work = async () => {
      for (let name = waiting.shift(); name !== undefined && !ending.signal.aborted; name = waiting.shift()) {
        const one = name;
        const found = await key(mount, one, ending.signal).catch(() => null);
        if (!ending.signal.aborted) setKnown((last) => ({ ...last, [one]: found }));
      }
    };
    for (let one = 0; one < READ_AT_ONCE; one++) void work();
    return () => ending.abort();
  }, [mount, names.join("\n")]);
  return known;
}

/** Names may be secret to a token that may still use some of the keys. */
function NotListed({ mount, error, reload }: { mount: string; error: unknown; reload: () => void }): JSX.Element {
  const [name, setName] = useState("");
  return (
    <>
      <Trouble error={error} what="the names of the keys" onRetry={reload} />
      <form
        class="open-by-name"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) go(placeOfKey(mount, name.trim()));
        }}
      >
        <Field label="Open a key by its name" value={name} onInput={setName} mono placeholder="orders" />
        <Button type="submit" disabled={!name.trim()}>
          Open
        </Button>
      </form>
    </>
  );
}
