import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, remove, write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Button, Card, Empty, Field, Table, toast, Trouble, useLoad } from "../../ui";

interface Tag {
  tag_key: string;
  tag_value: string;
}

/** The tags of a key: notes for people and programs. */
export function Tags({ mount, name, may }: { mount: string; name: string; may: May }): JSX.Element {
  const path = `${mount}/keys/${name}/tags`;
  const { data, error, reload } = useLoad(async (signal) => (await read<{ tags: Tag[] }>(path, { signal })).data.tags, [path]);
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const add = async () => {
    if (!key.trim()) return;
    await write(path, { tags: [{ tag_key: key.trim(), tag_value: value.trim() }] });
    toast(`Tagged: ${key.trim()}`);
    setKey("");
    setValue("");
    reload();
  };
  const drop = async (one: Tag) => {
    await remove(path, { body: { tag_keys: [one.tag_key] } });
    toast(`Removed: ${one.tag_key}`);
    reload();
  };
  const denied = missing(may, path, "update");
  return (
    <Card flush title="Tags">
      {error && !data ? (
        <Trouble error={error} what="the tags" onRetry={reload} />
      ) : (
        <>
          <Table
            label="Tags"
            rows={data ?? []}
            rowKey={({ tag_key }) => tag_key}
            empty={<Empty title={data ? "No tags" : "…"} />}
            columns={[
              { head: "Tag", cell: ({ tag_key }) => <span class="mono break">{tag_key}</span> },
              { head: "Value", cell: ({ tag_value }) => <span class="mono break">{tag_value}</span> },
              { head: "Actions", actions: true, cell: (one) => <Button kind="quiet" size="small" icon="trash" label={`Remove the tag ${one.tag_key}`} because={missing(may, path, "delete")} onClick={() => drop(one)} /> },
            ]}
          />
          {!denied && (
            <form class="beside framed" onSubmit={(event) => event.preventDefault()}>
              <Field label="Tag" mono value={key} onInput={setKey} />
              <Field label="Value" mono value={value} onInput={setValue} />
              <Button type="submit" disabled={!key.trim()} onClick={add}>
                Add
              </Button>
            </form>
          )}
        </>
      )}
    </Card>
  );
}
