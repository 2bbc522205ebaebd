import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { missing, type May } from "../../session/may";
import { Button, Card, Command, Confirm, Field, toast } from "../../ui";
import { keyWord, mountFlag, type MasterKey } from "./kms";

type Act = "enable" | "disable" | "schedule-deletion" | "cancel-deletion";

/** Enabling and disabling a key, and its end. */
export function Life({ mount, name, at, may, onChange }: { mount: string; name: string; at: MasterKey; may: May; onChange: () => void }): JSX.Element {
  const [asked, setAsked] = useState<Act | null>(null);
  const [days, setDays] = useState("30");
  const path = `${mount}/keys/${name}`;
  const dying = at.key_state === "PendingDeletion";
  const disabled = at.key_state === "Disabled";
  const wrongDays = /^\d+$/.test(days) && Number(days) >= 7 && Number(days) <= 30 ? null : "7 to 30 days.";
  const body = asked === "schedule-deletion" ? { pending_window_in_days: Number(days) } : {};
  const words: Record<Act, { title: string; verb: string; text: string; danger: boolean }> = {
    enable: { title: "Enable the key?", verb: "Enable", text: "It can be used again, from the next request on.", danger: false },
    disable: { title: "Disable the key?", verb: "Disable", text: "Every use of it is refused until it is enabled again. Nothing is lost.", danger: true },
    "schedule-deletion": { title: `Delete the key in ${days} days?`, verb: "Schedule deletion", text: "It is refused from now on. After that time it is gone with its material and aliases, and all that it encrypted is lost for ever. Until then that can be cancelled.", danger: true },
    "cancel-deletion": { title: "Keep the key?", verb: "Keep the key", text: "It is disabled then; enable it to use it.", danger: false },
  };
  const act = async (what: Act) => {
    await write(`${path}/${what}`, body);
    toast({ enable: "It is enabled", disable: "It is disabled", "schedule-deletion": `It will be deleted in ${days} days`, "cancel-deletion": "It stays, disabled" }[what]);
    onChange();
  };
  return (
    <Card title="Use and end">
      <div class="stack">
        <div class="row apart">
          <span class="muted grow">{dying ? "A key that will be deleted is refused." : disabled ? "It is refused until it is enabled." : "Disabled it is refused, and nothing is lost: so one finds out who still needs it."}</span>
          {disabled ? (
            <Button because={missing(may, `${path}/enable`, "update")} onClick={() => setAsked("enable")}>
              Enable
            </Button>
          ) : (
            <Button kind="danger" because={missing(may, `${path}/disable`, "update") || (at.key_state !== "Enabled" && "Only an enabled key can be disabled")} onClick={() => setAsked("disable")}>
              Disable
            </Button>
          )}
        </div>
        {dying ? (
          <div class="row apart">
            <span class="muted grow">It can still be kept.</span>
            <Button because={missing(may, `${path}/cancel-deletion`, "update")} onClick={() => setAsked("cancel-deletion")}>
              Cancel the deletion
            </Button>
          </div>
        ) : (
          <div class="beside">
            <Field label="Days to think again" type="number" min={7} max={30} value={days} onInput={setDays} wrong={wrongDays} />
            <Button kind="danger" icon="trash" because={missing(may, `${path}/schedule-deletion`, "update") || wrongDays || false} onClick={() => setAsked("schedule-deletion")}>
              Schedule deletion
            </Button>
          </div>
        )}
        {asked && (
          <Confirm title={words[asked].title} verb={words[asked].verb} danger={words[asked].danger} typed={asked === "schedule-deletion" ? "delete" : undefined} onClose={() => setAsked(null)} onConfirm={() => act(asked)}>
            <div class="stack tight">
              <p>{words[asked].text}</p>
              <Command cli={["kms", asked, ...mountFlag(mount), `-key=${keyWord(name)}`, ...(asked === "schedule-deletion" ? [`-days=${days}`] : [])]} request={{ method: "POST", path: `${path}/${asked}`, body: asked === "schedule-deletion" ? body : undefined }} />
            </div>
          </Confirm>
        )}
      </div>
    </Card>
  );
}
