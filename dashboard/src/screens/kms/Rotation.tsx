import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Badge, Button, Card, Check, Command, Confirm, Empty, Facts, Field, Loading, Note, sentence, Table, toast, Trouble, useLoad, when } from "../../ui";
import { keyWord, mountFlag, type MasterKey } from "./kms";

interface Calendar {
  key_rotation_enabled: boolean;
  rotation_period_in_days?: number;
  next_rotation_date?: string;
}
interface Material {
  key_material_id: string;
  key_material_state: string;
  rotation_date?: string;
  rotation_type?: string;
  import_state?: string;
}
interface Page {
  rotations: Material[];
  next_marker?: string;
}

const USUAL_DAYS = 365;

/** New material: at once, by the calendar, and all that there was. */
export function Rotation({ mount, name, at, may, onChange }: { mount: string; name: string; at: MasterKey; may: May; onChange: () => void }): JSX.Element {
  const path = `${mount}/keys/${name}`;
  const pages = useLoad((signal) => page(path, "", signal), [path, at.current_key_material_id]);
  const [more, setMore] = useState<Page | null>(null);
  const [rotating, setRotating] = useState(false);
  useEffect(() => setMore(null), [pages.data]);
  const rows = [...(pages.data?.rotations ?? []), ...(more?.rotations ?? [])];
  const next = more ? more.next_marker : pages.data?.next_marker;
  const loadMore = async () => {
    const found = await page(path, next ?? "");
    setMore({ rotations: [...(more?.rotations ?? []), ...found.rotations], next_marker: found.next_marker });
  };
  return (
    <>
      <div class="halves">
        <ByCalendar mount={mount} name={name} at={at} may={may} />
        <Card
          flush
          title="Material"
          actions={
            <Button icon="refresh" because={missing(may, `${path}/rotate`, "update") || (at.key_state !== "Enabled" && "Only an enabled key is rotated")} onClick={() => setRotating(true)}>
              Rotate now
            </Button>
          }
        >
          {pages.error && !pages.data ? (
            <Trouble error={pages.error} what="the material" onRetry={pages.reload} />
          ) : !pages.data ? (
            <Loading />
          ) : (
            <Table
              label="Material"
              rows={rows}
              rowKey={({ key_material_id }) => key_material_id}
              empty={<Empty title="There is no material yet" />}
              columns={[
                { head: "Material", cell: ({ key_material_id }) => <code title={key_material_id}>{key_material_id.slice(0, 12)}…</code> },
                { head: "State", cell: ({ key_material_state }) => <MaterialState of={key_material_state} /> },
                { head: "Since", cell: ({ rotation_date }) => (rotation_date ? when(rotation_date) : "the beginning") },
                { head: "Rotated", cell: ({ rotation_type }) => (rotation_type === "AUTOMATIC" ? "by itself" : rotation_type ? "by hand" : <span class="muted">–</span>) },
              ]}
            />
          )}
          {next && (
            <div class="more-foot">
              <Button size="small" onClick={loadMore}>
                Show more
              </Button>
            </div>
          )}
        </Card>
      </div>
      <Command cli={["kms", rotating ? "rotate" : "rotations", ...mountFlag(mount), `-key=${keyWord(name)}`]} request={rotating ? { method: "POST", path: `${path}/rotate` } : { method: "GET", path: `${path}/rotations`, query: { include_key_material: "ALL_KEY_MATERIAL" } }} />
      {rotating && (
        <Confirm
          title="Rotate the key?"
          verb="Rotate"
          onClose={() => setRotating(false)}
          onConfirm={async () => {
            await write(`${path}/rotate`);
            toast("New material encrypts from now on");
            onChange();
          }}
        >
          New material encrypts from then on, and all older material decrypts on. Nothing is re-encrypted. A key can be rotated by hand 25 times.
        </Confirm>
      )}
    </>
  );
}

const page = async (path: string, marker: string, signal?: AbortSignal): Promise<Page> =>
  (await read<Page>(`${path}/rotations`, { signal, query: { include_key_material: "ALL_KEY_MATERIAL", ...(marker ? { marker } : {}) } })).data;

function MaterialState({ of }: { of: string }): JSX.Element {
  if (of === "CURRENT") return <Badge tone="good">encrypts</Badge>;
  return of === "NON_CURRENT" ? <Badge>decrypts</Badge> : <Badge tone="warn">waits for the rotation</Badge>;
}

function ByCalendar({ mount, name, at, may }: { mount: string; name: string; at: MasterKey; may: May }): JSX.Element {
  const path = `${mount}/keys/${name}/rotation`;
  const { data, error, reload } = useLoad(async (signal) => (await read<Calendar>(path, { signal })).data, [path]);
  if (error && !data)
    return (
      <Card title="By the calendar">
        <Trouble error={error} what="the calendar" onRetry={reload} />
      </Card>
    );
  return (
    <Card title="By the calendar">
      {data ? <CalendarForm key={JSON.stringify(data)} path={path} words={[...mountFlag(mount), `-key=${keyWord(name)}`]} data={data} because={missing(may, path, "update") || (at.origin === "EXTERNAL" && "Imported material is rotated by importing")} onSaved={reload} /> : <Loading />}
    </Card>
  );
}

function CalendarForm({ path, words, data, because, onSaved }: { path: string; words: string[]; data: Calendar; because: string | false; onSaved: () => void }): JSX.Element {
  const [on, setOn] = useState(data.key_rotation_enabled);
  const [days, setDays] = useState(String(data.rotation_period_in_days ?? USUAL_DAYS));
  const [error, setError] = useState<string | null>(null);
  const wrong = !on || (/^\d+$/.test(days) && Number(days) >= 90 && Number(days) <= 2_560) ? null : "90 to 2,560 days.";
  const body = on ? { enabled: true, rotation_period_in_days: Number(days) } : { enabled: false };
  const same = on === data.key_rotation_enabled && (!on || days === String(data.rotation_period_in_days ?? USUAL_DAYS));
  const save = async () => {
    if (wrong || because || same) return;
    setError(null);
    try {
      await write(path, body);
      toast("The calendar is saved");
      onSaved();
    } catch (reason) {
      setError(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {data.next_rotation_date && <Facts facts={[["Next", when(data.next_rotation_date)]]} />}
      <Check label="Rotate it by itself" checked={on} onInput={setOn} disabled={Boolean(because)} />
      {on && <Field label="Every so many days" type="number" min={90} max={2_560} value={days} onInput={setDays} wrong={wrong} disabled={Boolean(because)} />}
      {error && <Note tone="bad">{error}</Note>}
      <div>
        <Button type="submit" because={because || wrong || false} disabled={same}>
          Save
        </Button>
      </div>
      <Command cli={["kms", "rotate", ...words, on ? `-every=${days}` : "-never"]} request={{ method: "POST", path, body }} />
    </form>
  );
}
