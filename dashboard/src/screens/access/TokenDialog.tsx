import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { write } from "../../api/client";
import { session } from "../../session";
import { href, path } from "../../shell/router";
import { Button, Command, Dialog, duration, Facts, LinkButton, Loading, Note, Ring, sentence, toast, Trouble, useLoad, when } from "../../ui";
import { useDenied } from "../../ui/useDenied";

interface Looked {
  accessor: string;
  display_name: string;
  policies: string[];
  identity_policies?: string[];
  entity_id: string;
  path: string;
  type: string;
  ttl: number;
  creation_ttl: number;
  explicit_max_ttl: number;
  period?: number;
  num_uses: number;
  orphan: boolean;
  renewable: boolean;
  issue_time: string;
  expire_time: string | null;
  meta: Record<string, string> | null;
  namespace_path?: string;
}

/** What is known of a token, by its accessor; and its end. */
export function TokenDialog({ accessor, onClose }: { accessor: string; onClose: (gone?: boolean) => void }): JSX.Element {
  const { data, error, reload } = useLoad(async (signal) => (await write<Looked>("auth/token/lookup-accessor", { accessor }, { signal })).data, [accessor]);
  const [sure, setSure] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const revokeDenied = useDenied("auth/token/revoke-accessor", "update");
  const renewDenied = useDenied("auth/token/renew-accessor", "update");
  const revoke = async () => {
    try {
      await write("auth/token/revoke-accessor", { accessor });
      toast("The token and all that it made are revoked");
      onClose(true);
    } catch (reason) {
      setWrong(sentence(reason instanceof Error ? reason.message : String(reason)));
    }
  };
  const renew = async () => {
    await write("auth/token/renew-accessor", { accessor });
    toast("The token is renewed");
    reload();
  };
  const own = accessor === session.value?.accessor;
  return (
    <Dialog title="Token" onClose={() => onClose()} large>
      {error ? <Trouble error={error} what="this token" /> : null}
      {!data && !error && <Loading />}
      {data && (
        <div class="stack">
          <div class="row">
            <Ring expires={data.expire_time ? Date.parse(data.expire_time) : null} ttl={data.creation_ttl} />
            <div class="grow">
              <h3 class="break">{data.display_name || "token"}</h3>
              <p class="muted small break">
                made {when(data.issue_time)} at {data.path}
              </p>
            </div>
          </div>
          <Facts
            facts={[
              ["Accessor", <code>{data.accessor}</code>],
              ["Policies", data.policies.join(", ") || "none"],
              ["Of its entity", data.identity_policies?.length ? data.identity_policies.join(", ") : null],
              ["Entity", data.entity_id ? <a href={href(path("access", "entities", data.entity_id))}>{data.entity_id}</a> : null],
              ["Kind", `${data.type}${data.orphan ? ", orphan" : ", ends with its parent"}`],
              ["Ends", data.expire_time ? when(data.expire_time) : "never"],
              ["Renewable", data.renewable ? "yes" : "no"],
              ["Lives at most", data.explicit_max_ttl ? duration(data.explicit_max_ttl) : null],
              ["Period", data.period ? duration(data.period) : null],
              ["Uses left", data.num_uses || null],
              ["Namespace", data.namespace_path || null],
              ["Notes", data.meta ? Object.entries(data.meta).map(([name, value]) => `${name}=${value}`).join(", ") : null],
            ]}
          />
          {own && <Note tone="warn">This is the token you are signed in with: revoking it signs you out.</Note>}
          {sure && <Note tone="warn" title="Revoke it?">Its children and all credentials that it fetched end with it, at once. Whoever uses it is refused from then on.</Note>}
          {wrong && <Note tone="bad">{wrong}</Note>}
          <div class="actions">
            <LinkButton href={href(`/access/explain?accessor=${encodeURIComponent(accessor)}`)}>Explain what it may do</LinkButton>
            {data.renewable && (
              <Button because={renewDenied} onClick={renew}>
                Renew
              </Button>
            )}
            {sure ? (
              <Button kind="danger primary" onClick={revoke}>
                Revoke now
              </Button>
            ) : (
              <Button kind="danger" because={revokeDenied} onClick={() => setSure(true)}>
                Revoke
              </Button>
            )}
          </div>
          <Command cli={["token", "revoke", "-accessor", accessor]} request={{ method: "POST", path: "auth/token/revoke-accessor", body: { accessor } }} />
        </div>
      )}
    </Dialog>
  );
}
