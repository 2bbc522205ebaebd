import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { read, remove, write } from "../../../api/client";
import { go, path } from "../../../shell/router";
import { Button, Card, Command, Confirm, Copy, Facts, Field, Loading, Note, operands, Page, Select, sentence, toast, Trouble, useLoad, warned } from "../../../ui";
import { useDenied } from "../../../ui/useDenied";
import { exact } from "../../../ui/exact";
import { useUnsaved } from "../../../ui/useUnsaved";
import { stays, type Mount, type MountKind } from "./kinds";
import { Move } from "./Move";

interface Tuned {
  description: string;
  default_lease_ttl: number;
  max_lease_ttl: number;
  token_type?: string;
  listing_visibility?: string;
}

/** One mount: its facts, its settings, moving and disabling it. `children` are what its kind has besides. */
export function MountPage({ kind, at, children }: { kind: MountKind; at: string; children?: (mount: Mount) => ComponentChildren }): JSX.Element {
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [mount, tuned] = await Promise.all([read<Mount>(`${kind.base}/${at}`, { signal }), read<Tuned>(`${kind.base}/${at}/tune`, { signal })]);
      return { mount: mount.data, tuned: tuned.data };
    },
    [at],
  );
  const [asked, setAsked] = useState<"disable" | "move" | null>(null);
  const [gone, setGone] = useState(false);
  const disableDenied = useDenied(`${kind.base}/${at}`, "delete");
  const moveDenied = useDenied("sys/remount", "update");
  const isOurs = data && stays(data.mount);
  return (
    <Page
      title={`${kind.prefix}${at}/`}
      crumbs={[{ title: kind.title, path: kind.place }]}
      lead={data?.mount.description}
      actions={
        data &&
        !isOurs && (
          <>
            <Button because={moveDenied} onClick={() => setAsked("move")}>
              Move
            </Button>
            <Button kind="danger" icon="trash" because={disableDenied} onClick={() => setAsked("disable")}>
              Disable
            </Button>
          </>
        )
      }
    >
      {error && !gone ? <Trouble error={error} what={`this ${kind.one}`} onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <>
          {children?.(data.mount)}
          <div class="halves">
            <Tune key={JSON.stringify(data.tuned)} kind={kind} at={at} tuned={data.tuned} reload={reload} />
            <Card title="Facts">
              <Facts
                facts={[
                  ["Type", data.mount.type + (data.mount.options?.version ? ` version ${data.mount.options.version}` : "")],
                  ["Accessor", <span class="row"><code>{data.mount.accessor}</code><Copy text={data.mount.accessor} label="Copy the accessor" /></span>],
                  ["Id", <code>{data.mount.uuid}</code>],
                  ["Version", data.mount.running_plugin_version],
                  ["Wrapped by the seal", data.mount.seal_wrap && "yes"],
                ]}
              />
            </Card>
          </div>
        </>
      )}
      {asked === "move" && <Move kind={kind} at={at} onClose={() => setAsked(null)} />}
      {asked === "disable" && (
        <Confirm
          title={`Disable ${kind.prefix}${at}/?`}
          verb="Disable"
          danger
          typed={at}
          onClose={() => setAsked(null)}
          onConfirm={async () => {
            await remove(`${kind.base}/${at}`);
            setGone(true);
            toast(`${kind.prefix}${at}/ is disabled`);
            setTimeout(() => go(kind.place), 0);
          }}
        >
          {kind.catalog === "auth" ? "All tokens that were issued by it are revoked, and its configuration, users and roles are deleted." : "Everything that it keeps is deleted, and all credentials that it issued are revoked."} That can not be taken back.
        </Confirm>
      )}
    </Page>
  );
}

function Tune({ kind, at, tuned, reload }: { kind: MountKind; at: string; tuned: Tuned; reload: () => void }): JSX.Element {
  const first = { description: tuned.description, lease: exact(tuned.default_lease_ttl), longest: exact(tuned.max_lease_ttl), tokens: tuned.token_type ?? "", listed: tuned.listing_visibility ?? "" };
  const [form, setForm] = useState(first);
  const [wrong, setWrong] = useState<string | null>(null);
  const path = `${kind.base}/${at}/tune`;
  const denied = useDenied(path, "update");
  const unsaved = JSON.stringify(form) !== JSON.stringify(first);
  const guard = useUnsaved(unsaved);
  const change = (part: Partial<typeof first>) => setForm({ ...form, ...part });
  const body = {
    ...(form.description === first.description ? {} : { description: form.description }),
    ...(form.lease === first.lease ? {} : { default_lease_ttl: form.lease.trim() }),
    ...(form.longest === first.longest ? {} : { max_lease_ttl: form.longest.trim() }),
    ...(form.tokens === first.tokens ? {} : { token_type: form.tokens }),
    ...(form.listed === first.listed ? {} : { listing_visibility: form.listed }),
  };
  const save = async () => {
    setWrong(null);
    try {
      warned((await write(path, body)).warnings);
      toast("The settings are saved");
      reload();
    } catch (error) {
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    }
  };
  const flags = Object.entries(body).map(([name, value]) => `-${name.replaceAll("_", "-")}=${value}`);
  return (
    <Card
      title="Settings"
      foot={
        <div class="row apart">
          <span class="muted small">{denied}</span>
          <Button kind="primary" because={denied} disabled={!unsaved} onClick={save}>
            Save
          </Button>
        </div>
      }
    >
      <div class="stack">
        <Field label="Description" value={form.description} onInput={(description) => change({ description })} disabled={Boolean(denied)} />
        <Field label="Leases by default" mono value={form.lease} onInput={(lease) => change({ lease })} disabled={Boolean(denied)} hint="Like 90s, 1h or 30d." />
        <Field label="Leases at most" mono value={form.longest} onInput={(longest) => change({ longest })} disabled={Boolean(denied)} />
        {kind.catalog === "auth" && (
          <>
            <Select label="Tokens" value={form.tokens} onInput={(tokens) => change({ tokens })} disabled={Boolean(denied)} options={["default-service", "default-batch", "service", "batch"]} />
            <Select label="On the sign-in page" value={form.listed} onInput={(listed) => change({ listed })} disabled={Boolean(denied)} options={[...(form.listed === "" ? [{ value: "", label: "as by default: hidden" }] : []), { value: "hidden", label: "hidden" }, { value: "unauth", label: "shown to everybody" }]} />
          </>
        )}
        {wrong && <Note tone="bad">{wrong}</Note>}
        {/* Where nothing was changed there is nothing to write. */}
        {flags.length > 0 ? <Command cli={[kind.cli, "tune", ...flags, ...operands(at)]} request={{ method: "POST", path, body }} /> : <Command cli={["read", path]} request={{ method: "GET", path }} />}
        {guard}
      </div>
    </Card>
  );
}

/** The place of a mount. */
export const placeOf = (kind: MountKind, at: string): string => `${kind.place}${path(at)}`;
