import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, remove } from "../../api/client";
import { Card, Confirm, toast, Table, useLoad } from "../../ui";
import { AllowedButton } from "../../ui/AllowedButton";

const SHOWN_MAX = 200;

/** Access keys for clients of AWS's protocol; nothing where there are none, or where the token may not list them. */
export function AccessKeys(): JSX.Element | null {
  const { data, reload } = useLoad((signal) => list("auth/token/access-keys", { signal }).catch(() => []), []);
  const [gone, setGone] = useState<string | null>(null);
  if (!data?.length) return null;
  return (
    <Card title="Access keys for AWS's clients" flush>
      <Table
        label="Access keys"
        rows={data.slice(0, SHOWN_MAX)}
        rowKey={(id) => id}
        columns={[
          { head: "Id", cell: (id) => <code class="break">{id}</code> },
          {
            head: "Actions",
            actions: true,
            cell: (id) => (
              <AllowedButton path={`auth/token/access-keys/${id}`} needs="delete" size="small" kind="danger" label={`Revoke ${id}`} onClick={() => setGone(id)}>
                Revoke
              </AllowedButton>
            ),
          },
        ]}
      />
      {gone && (
        <Confirm
          title={`Revoke the access key ${gone}?`}
          verb="Revoke"
          danger
          onClose={() => setGone(null)}
          onConfirm={async () => {
            await remove(`auth/token/access-keys/${gone}`);
            toast("The access key is revoked");
            reload();
          }}
        >
          Its token ends with it, and whoever signs requests by it is refused from then on.
        </Confirm>
      )}
    </Card>
  );
}
