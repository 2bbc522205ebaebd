import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { read, write } from "../../api/client";
import { seal } from "../../session/server";
import { Button, Card, Check, Command, Confirm, duration, Facts, Field, Loading, Note, Page, sentence, toast, Trouble, useLoad, when } from "../../ui";
import { exact } from "../../ui/exact";
import { useDenied } from "../../ui/useDenied";
import { GenerateRoot } from "./GenerateRoot";
import { Rekey } from "./Rekey";

interface KeyStatus {
  term: number;
  install_time: string;
  encryptions: number;
}
interface Config {
  enabled: boolean;
  interval: number;
  max_operations: number;
}

/** The key that encrypts the storage, the shares that open the server, and new root tokens. */
export default function Keys(): JSX.Element {
  return (
    <Page title="Keys" lead="The key that encrypts what is stored, and the shares that open the server.">
      <Encryption />
      <Rekey recovery={seal.value?.recovery_seal ?? false} />
      <GenerateRoot />
    </Page>
  );
}

function Encryption(): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => {
    const options = { namespace: "", signal };
    const [status, config] = await Promise.all([read<KeyStatus>("sys/key-status", options), read<Config>("sys/rotate/config", options).catch(() => null)]);
    return { status: status.data, config: config?.data };
  }, []);
  const [asked, setAsked] = useState(false);
  const denied = useDenied("sys/rotate", "update");
  return (
    <Card
      title="Encryption key"
      actions={
        <Button size="small" icon="refresh" because={denied} onClick={() => setAsked(true)}>
          Rotate
        </Button>
      }
    >
      {error ? <Trouble error={error} what="the encryption key's state" onRetry={reload} /> : null}
      {!data && !error && <Loading lines={2} />}
      {data && (
        <div class="stack">
          <Facts
            facts={[
              ["Number", <span class="num">{data.status.term}</span>],
              ["In use since", when(data.status.install_time)],
              ["Encryptions by it", data.status.encryptions.toLocaleString()],
            ]}
          />
          {data.config && <Rotation key={JSON.stringify(data.config)} config={data.config} reload={reload} />}
          <Command cli={["operator", "rotate"]} request={{ method: "POST", path: "sys/rotate" }} />
        </div>
      )}
      {asked && (
        <Confirm
          title="Begin a new encryption key?"
          verb="Rotate"
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await write("sys/rotate", {}, { namespace: "" });
            toast("What is stored from now on is encrypted by a new key");
            reload();
          }}
        >
          What is stored from now on is encrypted by the new key; all else stays readable by the older ones. Nobody notices, and unseal keys stay the same.
        </Confirm>
      )}
    </Card>
  );
}

function Rotation({ config, reload }: { config: Config; reload: () => void }): JSX.Element {
  const [on, setOn] = useState(config.enabled);
  const [interval, setInterval] = useState(config.interval ? exact(config.interval) : "0");
  const [most, setMost] = useState(String(config.max_operations));
  const [wrong, setWrong] = useState<string | null>(null);
  const denied = useDenied("sys/rotate/config", "update");
  const same = on === config.enabled && interval === (config.interval ? exact(config.interval) : "0") && most === String(config.max_operations);
  const save = async () => {
    setWrong(null);
    try {
      await write("sys/rotate/config", { enabled: on, interval: interval.trim(), max_operations: Number(most) }, { namespace: "" });
      toast("Saved");
      reload();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <div class="stack">
      <Check label="Rotate by itself" checked={on} onInput={setOn} disabled={Boolean(denied)} />
      <div class="halves">
        <Field label="After so many encryptions" type="number" min={1} value={most} onInput={setMost} disabled={!on || Boolean(denied)} />
        <Field label="Every" mono value={interval} onInput={setInterval} disabled={!on || Boolean(denied)} hint={`Like 720h; 0 for by count only.${config.interval ? ` ${duration(config.interval)} now.` : ""}`} />
      </div>
      {wrong && <Note tone="bad">{wrong}</Note>}
      {!same && (
        <div class="row end">
          <Button because={denied} onClick={save}>
            Save
          </Button>
        </div>
      )}
    </div>
  );
}
