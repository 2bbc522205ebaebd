import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { readBlob, refusal, send } from "../../api/client";
import { seal, look } from "../../session/server";
import { Button, Card, Check, Command, Confirm, download, Note, Page, toast } from "../../ui";
import { useDenied } from "../../ui/useDenied";

const PATH = "sys/storage/snapshot";

/** Everything that is stored, as a file; and back. */
export default function Snapshots(): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [force, setForce] = useState(false);
  const [asked, setAsked] = useState(false);
  const readDenied = useDenied(PATH, "read");
  const writeDenied = useDenied(force ? `${PATH}-force` : PATH, "update");
  const cluster = seal.value?.cluster_name || "coffer";
  const save = async () => {
    const blob = await readBlob(PATH, { namespace: "" });
    download(`${cluster.replace(/[^\w.-]+/g, "-")}-${new Date().toISOString().replace(/[:.]/g, "-").slice(0, 19)}.snap`, blob);
    toast(`${(blob.size / 1e3).toFixed(0)} kB: keep it where only few can reach it`);
  };
  const restore = async () => {
    const target = force ? `${PATH}-force` : PATH;
    const response = await send("POST", target, file!, { namespace: "", headers: { "Content-Type": "application/gzip" } });
    if (!response.ok) throw await refusal(response, target);
    toast("The snapshot is restored");
    setFile(null);
    await look();
  };
  return (
    <Page title="Snapshots" lead="Everything in the storage as it is at one moment, still encrypted: it opens with the unseal keys of the server that made it, and with nothing else.">
      <Card title="Take one">
        <div class="stack">
          <p>The server goes on answering meanwhile. Test once in a while that a snapshot can be restored, on another machine.</p>
          <div class="row">
            <Button kind="primary" icon="download" because={readDenied} onClick={save}>
              Download a snapshot
            </Button>
            {readDenied && <span class="muted small">{readDenied}</span>}
          </div>
          <Command cli={["operator", "snapshot", "save", "backup.snap"]} request={{ method: "GET", path: PATH, into: "backup.snap" }} />
        </div>
      </Card>
      <Card title="Restore one">
        <div class="stack">
          <div class="field">
            <label for="snapshot-file">Snapshot file</label>
            <input id="snapshot-file" class="input" type="file" accept=".snap,.gz,application/gzip" disabled={Boolean(writeDenied)} onChange={(event) => setFile((event.target as HTMLInputElement).files?.[0] ?? null)} />
          </div>
          <Check label="It was made with other keys" hint="(the server is sealed then, and opens with the keys of the snapshot)" checked={force} onInput={setForce} disabled={false} />
          <Note tone="warn">All that was stored since the snapshot is lost: secrets, tokens, leases. Credentials that were issued since stay behind in databases, where nobody revokes them.</Note>
          <div class="row">
            <Button kind="danger" icon="upload" because={writeDenied} disabled={!file} onClick={() => setAsked(true)}>
              Restore
            </Button>
            {writeDenied && <span class="muted small">{writeDenied}</span>}
          </div>
          <Command cli={["operator", "snapshot", "restore", ...(force ? ["-force"] : []), "backup.snap"]} request={{ method: "POST", path: force ? `${PATH}-force` : PATH, file: "backup.snap" }} />
        </div>
      </Card>
      {asked && file && (
        <Confirm title={`Restore ${file.name}?`} verb="Restore" danger typed="restore" onClose={() => setAsked(false)} onConfirm={restore}>
          What is stored now is replaced by the {(file.size / 1e3).toFixed(0)} kB of {file.name}. The file is verified first; if anything in it is wrong, nothing changes.
        </Confirm>
      )}
    </Page>
  );
}
