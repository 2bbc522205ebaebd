import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { go, href } from "../../shell/router";
import { Badge, Button, Card, Command, Confirm, Empty, operands, Ring, Table, toast, Trouble, when, type Loaded } from "../../ui";
import { Loading } from "../../ui/Loading";
import { change, content, dataPath, isConflict, isGone, metadata, metadataPath, put, type Metadata, type Mount, type Version } from "./kv";
import { missing, useMay } from "../../session/may";
import { placeOf } from "./places";

type Act = "restore" | "delete" | "undelete" | "destroy";
const WORDS: Record<Act, { verb: string; text: (version: number, current: number) => string; danger: boolean }> = {
  restore: { verb: "Restore", text: (version, current) => `The values of version ${version} are written again, as version ${current + 1}. Nothing is taken away.`, danger: false },
  delete: { verb: "Delete", text: (version) => `Version ${version} can be read no more, until somebody brings it back.`, danger: true },
  undelete: { verb: "Bring back", text: (version) => `Version ${version} can be read again.`, danger: false },
  destroy: { verb: "Destroy", text: (version) => `The values of version ${version} are gone for good. Nobody can bring them back.`, danger: true },
};

/** All versions, and what can be done with each. */
export function Versions({ at, name, known, onChange }: { at: Mount; name: string; known: Loaded<Metadata | null>; onChange: () => void }): JSX.Element {
  const paths = { restore: dataPath(at, name), delete: `${at.path}/delete/${name}`, undelete: `${at.path}/undelete/${name}`, destroy: `${at.path}/destroy/${name}`, about: metadataPath(at, name) };
  const may = useMay(Object.values(paths));
  const [asked, setAsked] = useState<{ act: Act; version: number } | null>(null);
  if (known.loading || !may) return <Loading />;
  if (known.error && !known.data) return <Trouble error={known.error} what="the versions" onRetry={known.reload} />;
  const all = known.data;
  if (!all) return <Empty icon="clock" title="The versions can not be shown" text={missing(may, paths.about, "read") || "There is no such secret."} />;
  const contested = async (reason: unknown): Promise<never> => {
    if (!isConflict(reason)) throw reason;
    onChange();
    const { current } = await metadata(at, name);
    throw new Error(`Somebody wrote version ${current} meanwhile. Look at it, then restore again.`);
  };
  const act = async ({ act, version }: { act: Act; version: number }) => {
    if (act === "restore") {
      const old = await content(at, name, version);
      if (!old.values) throw new Error("That version has no values any more.");
      await put(at, name, old.values, all.current).catch(contested);
      toast(`Version ${version} is version ${all.current + 1} now`);
    } else {
      await change(at, name, act, [version]);
      toast(`${act === "delete" ? "Deleted" : act === "destroy" ? "Destroyed" : "Brought back"}: version ${version}`);
    }
    onChange();
  };
  const button = (what: Act, version: number, because: string | false = false) => (
    <Button size="small" kind={WORDS[what].danger ? "danger" : ""} label={`${WORDS[what].verb} version ${version}`} because={missing(may, paths[what], ...(what === "restore" ? (["create", "update"] as const) : (["update", "create"] as const))) || because} onClick={() => setAsked({ act: what, version })}>
      {WORDS[what].verb}
    </Button>
  );
  return (
    <>
      {asked && (
        <Confirm title={`${WORDS[asked.act].verb} version ${asked.version}?`} verb={WORDS[asked.act].verb} danger={WORDS[asked.act].danger} onClose={() => setAsked(null)} onConfirm={() => act(asked)}>
          {WORDS[asked.act].text(asked.version, all.current)}
        </Confirm>
      )}
      <Card flush title="Versions" actions={all.versions.length > 1 && <Button size="small" onClick={() => go(placeOf(at.path, name, { tab: "compare" }))}>Compare two</Button>}>
        <Table
          label="Versions"
          rows={all.versions}
          rowKey={({ number }) => String(number)}
          empty={<Empty icon="clock" title="There is no version yet" text="Only settings were written so far." />}
          columns={[
            { head: "Version", cell: ({ number }) => <a href={href(placeOf(at.path, name, { version: number }))}>{number}</a> },
            { head: "State", cell: (version) => <State version={version} current={all.current} /> },
            { head: "Written", cell: ({ created }) => when(created) },
            {
              head: "Actions",
              actions: true,
              cell: (version) => (
                <div class="kv-acts">
                  {!isGone(version) && version.number !== all.current && button("restore", version.number)}
                  {!version.destroyed && (isGone(version) ? button("undelete", version.number) : button("delete", version.number))}
                  {!version.destroyed && button("destroy", version.number)}
                </div>
              ),
            },
          ]}
        />
      </Card>
      {asked ? (
        <Command cli={["kv", asked.act === "restore" ? "rollback" : asked.act, `-mount=${at.path}`, asked.act === "restore" ? `-version=${asked.version}` : `-versions=${asked.version}`, ...operands(name)]} request={asked.act === "restore" ? { method: "POST", path: paths.restore, body: { options: { cas: all.current }, data: "…" } } : { method: "POST", path: paths[asked.act], body: { versions: [asked.version] } }} />
      ) : (
        <Command cli={["kv", "metadata", "get", `-mount=${at.path}`, ...operands(name)]} request={{ method: "GET", path: paths.about }} />
      )}
    </>
  );
}

function State({ version, current }: { version: Version; current: number }): JSX.Element {
  if (version.destroyed) return <Badge tone="bad">destroyed</Badge>;
  if (isGone(version)) return <Badge tone="warn">deleted</Badge>;
  return (
    <span class="row">
      {version.number === current ? <Badge tone="good">latest</Badge> : <Badge>kept</Badge>}
      {version.deletion && <Ring expires={Date.parse(version.deletion)} ttl={(Date.parse(version.deletion) - Date.parse(version.created)) / 1_000} size={36} />}
    </span>
  );
}

