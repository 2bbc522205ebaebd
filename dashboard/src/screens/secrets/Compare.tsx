import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { go } from "../../shell/router";
import { Badge, Button, Card, Command, Diff, Empty, operands, Select, Table, Trouble, useLoad, type Loaded } from "../../ui";
import { Loading } from "../../ui/Loading";
import { isSame, print, sorted } from "../../api/json";
import { whyGone } from "./Gone";
import { content, dataPath, isGone, type Metadata, type Mount } from "./kv";
import { own } from "./merge";
import { placeOf } from "./places";

/** What differs between two versions: first which keys, and their values on demand. */
export function Compare({ at, name, known, query }: { at: Mount; name: string; known: Loaded<Metadata | null>; query: URLSearchParams }): JSX.Element {
  const [shown, setShown] = useState(false);
  const alive = (known.data?.versions ?? []).filter((version) => !isGone(version)).map(({ number }) => number);
  const to = Number(query.get("to")) || alive[0] || 0;
  const from = Number(query.get("from")) || alive[1] || 0;
  const both = useLoad(async (signal) => (from && to ? Promise.all([content(at, name, from, signal), content(at, name, to, signal)]) : null), [at.path, name, from, to]);
  const gone = (both.data ?? []).flatMap((one, index) => (one.values ? [] : whyGone(one, index ? to : from, known.data?.current ?? Infinity)));
  useEffect(() => {
    // The list of versions is from before, or the address from elsewhere.
    if (gone.length > 0) known.reload();
  }, [both.data]);
  if (known.loading || both.loading) return <Loading />;
  if (known.error && !known.data) return <Trouble error={known.error} what="the versions" onRetry={known.reload} />;
  if (!both.data && !both.error) return <Empty icon="clock" title="There are no two versions to compare" text="Deleted and destroyed versions have no values; your token also needs read on the secret's metadata." />;
  if (!both.data) return <Trouble error={both.error} what="these versions" onRetry={both.reload} />;
  const before = both.data[0].values ?? {};
  const after = both.data[1].values ?? {};
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const choose = (next: { from: number; to: number }) => go(placeOf(at.path, name, { tab: "compare", ...next }), { replace: true });
  const options = [...new Set([...alive, from, to])].sort((one, other) => other - one).map(String);
  return (
    <>
      <Card
        title="What differs"
        flush
        actions={
          gone.length === 0 && (
            <Button size="small" icon={shown ? "hidden" : "eye"} onClick={() => setShown(!shown)}>
              {shown ? "Hide values" : "Show values"}
            </Button>
          )
        }
      >
        <div class="kv-pick">
          <Select label="From version" value={String(from)} options={options} onInput={(value) => choose({ from: Number(value), to })} />
          <Select label="To version" value={String(to)} options={options} onInput={(value) => choose({ from, to: Number(value) })} />
        </div>
        {gone.length > 0 ? (
          <Empty title="There is nothing to compare" text={`${[...new Set(gone)].join(". ")}.`} />
        ) : shown ? (
          <div class="kv-diff">
            <Diff before={print(sorted(before))} after={print(sorted(after))} label={`From version ${from} to version ${to}`} />
          </div>
        ) : (
          <Table
            label="Keys that differ"
            rows={keys}
            rowKey={(key) => key}
            empty={<Empty title="Both are empty" />}
            columns={[
              { head: "Key", cell: (key) => <span class="mono break">{key}</span> },
              { head: "Change", cell: (key) => <Change before={own(before, key)} after={own(after, key)} /> },
            ]}
          />
        )}
      </Card>
      <Command cli={["kv", "get", `-mount=${at.path}`, `-version=${from}`, ...operands(name)]} request={{ method: "GET", path: dataPath(at, name), query: { version: from } }} />
    </>
  );
}

function Change({ before, after }: { before: unknown; after: unknown }): JSX.Element {
  if (before === undefined) return <Badge tone="good">added</Badge>;
  if (after === undefined) return <Badge tone="bad">taken away</Badge>;
  return isSame(before, after) ? <Badge>the same</Badge> : <Badge tone="warn">changed</Badge>;
}
