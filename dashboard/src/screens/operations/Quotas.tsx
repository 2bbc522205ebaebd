import "./rows.css";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, read, remove } from "../../api/client";
import { Badge, Button, Card, Command, Confirm, duration, Empty, Loading, Page, Table, toast, Trouble, useLoad } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";
import { useDeniedBelow } from "../../session/below";
import { QuotaDialog } from "./QuotaDialog";

/** A quota of any kind. */
export interface Quota {
  name: string;
  kind: QuotaKind;
  path: string;
  role?: string;
  inheritable?: boolean;
  rate?: number;
  interval?: number;
  block_interval?: number;
  max_leases?: number;
  counter?: number;
  max_tokens?: number;
}
/** The kinds of quotas, as their paths name them. */
export type QuotaKind = "rate-limit" | "lease-count" | "token-count";

const KINDS: QuotaKind[] = ["rate-limit", "lease-count", "token-count"];
const SHOWN_MAX = 200;
const EVERY_MS = 4_000;

/** Limits: how often may be asked, how many leases and tokens there may be; and how full they are. */
export default function Quotas(): JSX.Element {
  const { data, error, reload } = useLoad(load, [], EVERY_MS);
  const [edited, setEdited] = useState<Quota | "new" | null>(null);
  const [gone, setGone] = useState<Quota | null>(null);
  const createDenied = useDeniedBelow("sys/quotas/rate-limit/", "create", "update");
  return (
    <Page
      title="Quotas"
      lead="What one client, mount or namespace may take, so that nobody takes all."
      actions={
        <Button kind="primary" icon="plus" because={createDenied} onClick={() => setEdited("new")}>
          New quota
        </Button>
      }
    >
      {error && !data ? <Trouble error={error} what="the quotas" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <Card flush>
          <Table
            label="Quotas"
            rows={data}
            rowKey={({ kind, name }) => `${kind} ${name}`}
            empty={<Empty icon="operations" title="No quotas" text="Anybody may ask as often as the machine can answer, and make as many leases as fit." />}
            columns={[
              { head: "Name", cell: ({ name }) => <span class="mono break">{name}</span> },
              { head: "For", cell: ({ path, role }) => <span class="break">{path ? <code>{path}</code> : "everything"}{role && ` as ${role}`}</span> },
              { head: "Limit", cell: limitOf },
              { head: "In use", cell: (quota) => <Use quota={quota} /> },
              {
                head: "Actions",
                actions: true,
                cell: (quota) => (
                  <span class="row end">
                    <AllowedButton path={pathOf(quota)} needs="update" size="small" label={`Change ${quota.name}`} onClick={() => setEdited(quota)}>
                      Change
                    </AllowedButton>
                    <AllowedButton path={pathOf(quota)} needs="delete" size="small" kind="danger" label={`Delete ${quota.name}`} onClick={() => setGone(quota)}>
                      Delete
                    </AllowedButton>
                  </span>
                ),
              },
            ]}
          />
        </Card>
      )}
      <Command cli={["list", "sys/quotas/rate-limit"]} request={{ method: "LIST", path: "sys/quotas/rate-limit" }} />
      {edited && <QuotaDialog quota={edited === "new" ? null : edited} onClose={() => setEdited(null)} onDone={reload} />}
      {gone && (
        <Confirm
          title={`Delete the quota ${gone.name}?`}
          verb="Delete"
          danger
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await remove(pathOf(gone));
            toast(`The quota ${gone.name} is deleted`);
            reload();
          }}
        >
          {gone.path ? `${gone.path} is held back by it no more.` : "Nobody is held back by it any more."}
        </Confirm>
      )}
    </Page>
  );
}

const pathOf = ({ kind, name }: Quota): string => `sys/quotas/${kind}/${name}`;

async function load(signal: AbortSignal): Promise<Quota[]> {
  const each = KINDS.map(async (kind) => {
    const names = (await list(`sys/quotas/${kind}`, { signal })).slice(0, SHOWN_MAX);
    return Promise.all(names.map(async (name) => ({ ...(await read<Omit<Quota, "kind">>(`sys/quotas/${kind}/${name}`, { signal })).data, kind })));
  });
  return (await Promise.all(each)).flat();
}

function limitOf({ kind, rate, interval, max_leases, max_tokens }: Quota): string {
  switch (kind) {
    case "rate-limit":
      return `${rate} requests in ${duration(interval ?? 1)}`;
    case "lease-count":
      return `${max_leases} leases`;
    default:
      return `${max_tokens} tokens`;
  }
}

function Use({ quota: { counter, max_leases: most = 0 } }: { quota: Quota }): JSX.Element {
  if (counter === undefined) return <span class="muted">not counted</span>;
  const part = most > 0 ? Math.min(1, counter / most) : 0;
  return (
    <div class="stack tight">
      <span class="num">
        {counter} of {most} {part >= 0.9 && <Badge tone={part >= 1 ? "bad" : "warn"}>{part >= 1 ? "full" : "nearly full"}</Badge>}
      </span>
      <div class="bar issued" role="progressbar" aria-label="In use" aria-valuemin={0} aria-valuemax={most} aria-valuenow={Math.min(counter, most)}>
        <span style={{ width: `${100 * part}%` }} />
      </div>
    </div>
  );
}
