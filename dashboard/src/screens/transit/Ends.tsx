import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { remove, write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Button, Card, Command, Confirm, Field, operands, toast } from "../../ui";
import { mountFlag, type Key } from "./transit";

type Act = "trim" | "soft" | "restore" | "delete";

/** Old versions and whole keys, taken out of use or destroyed. */
export function Ends({ mount, at, may, onChange, onDelete }: { mount: string; at: Key; may: May; onChange: () => void; onDelete: () => Promise<void> }): JSX.Element {
  const [asked, setAsked] = useState<Act | null>(null);
  const path = `${mount}/keys/${at.name}`;
  // The server trims only below both limits, and of the second 0 says that there is none.
  const most = Math.min(at.minDecryption, at.minEncryption);
  const least = Math.max(at.minAvailable, 1) + 1;
  const [from, setFrom] = useState(String(most >= least ? most : least - 1));
  const wrongFrom = wrongTrim(Number(from), least, most);
  const act = async (what: Act) => {
    if (what === "delete") return onDelete();
    if (what === "trim") await write(`${path}/trim`, { min_available_version: Number(from) });
    if (what === "soft") await remove(`${path}/soft-delete`);
    if (what === "restore") await write(`${path}/soft-delete-restore`);
    toast({ trim: `Versions before ${from} are destroyed`, soft: `Out of use: ${at.name}`, restore: `In use again: ${at.name}` }[what]);
    onChange();
  };
  const words: Record<Act, { title: string; verb: string; text: string; typed?: string; danger: boolean }> = {
    trim: { title: `Destroy versions before ${from}?`, verb: "Destroy", text: "What they encrypted is lost for ever. Nobody can bring them back.", typed: at.name, danger: true },
    soft: { title: `Take ${at.name} out of use?`, verb: "Take out of use", text: "Every use of it is refused until it is taken back into use. Nothing is lost.", danger: true },
    restore: { title: `Take ${at.name} back into use?`, verb: "Take back into use", text: "It encrypts, decrypts and signs again.", danger: false },
    delete: { title: `Delete ${at.name}?`, verb: "Delete for good", text: "The key is destroyed with all versions, and all that it encrypted is lost for ever.", typed: at.name, danger: true },
  };
  const flags = mountFlag(mount);
  const commands: Record<Act, Parameters<typeof Command>[0]> = {
    trim: { cli: ["transit", "keys", "trim", ...flags, `-min-available-version=${from}`, ...operands(at.name)], request: { method: "POST", path: `${path}/trim`, body: { min_available_version: Number(from) } } },
    soft: { cli: ["transit", "keys", "soft-delete", ...flags, ...operands(at.name)], request: { method: "DELETE", path: `${path}/soft-delete` } },
    restore: { cli: ["transit", "keys", "undelete", ...flags, ...operands(at.name)], request: { method: "POST", path: `${path}/soft-delete-restore` } },
    delete: { cli: ["transit", "keys", "delete", ...flags, ...operands(at.name)], request: { method: "DELETE", path } },
  };
  return (
    <Card title="Taking away">
      <div class="stack">
        <div class="trim">
          <Field label="Destroy versions before" type="number" min={1} max={at.latest} value={from} onInput={setFrom} disabled={most < least} />
          <Button kind="danger" because={missing(may, `${path}/trim`, "update") || wrongFrom} onClick={() => setAsked("trim")}>
            Destroy old versions
          </Button>
          <span class="muted small">{wrongFrom || "They are gone for good, and so is what they encrypted."}</span>
        </div>
        <div class="row apart">
          <span class="muted grow">{at.softDeleted ? "It is out of use." : "Out of use it is refused, and nothing is lost: so one finds out who still needs it."}</span>
          {at.softDeleted ? (
            <Button because={missing(may, `${path}/soft-delete-restore`, "update")} onClick={() => setAsked("restore")}>
              Take back into use
            </Button>
          ) : (
            <Button kind="danger" because={missing(may, `${path}/soft-delete`, "delete")} onClick={() => setAsked("soft")}>
              Take out of use
            </Button>
          )}
        </div>
        <div class="row apart">
          <span class="muted grow">The key with all versions, for good.</span>
          <Button kind="danger" icon="trash" because={missing(may, path, "delete") || (!at.deletionAllowed && "Allow it first: The key may be deleted")} onClick={() => setAsked("delete")}>
            Delete the key
          </Button>
        </div>
        {asked && (
          <Confirm title={words[asked].title} verb={words[asked].verb} danger={words[asked].danger} typed={words[asked].typed} onClose={() => setAsked(null)} onConfirm={() => act(asked)}>
            <div class="stack tight">
              <p>{words[asked].text}</p>
              <Command {...commands[asked]} />
            </div>
          </Confirm>
        )}
      </div>
    </Card>
  );
}

function wrongTrim(from: number, least: number, most: number): string | false {
  if (most < least) return "Raise the least versions that decrypt and encrypt first.";
  if (from >= least && from <= most) return false;
  return least === most ? `Only ${most} can stand here.` : `From ${least} to ${most}.`;
}
