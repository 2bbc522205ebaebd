import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, write } from "../../api/client";
import { session } from "../../session";
import { Badge, Button, Card, Command, Empty, Field, Loading, Note, Page, Table, Trouble, toast, useLoad } from "../../ui";
import { useDenied } from "../../ui/useDenied";
import { AccessKeys } from "./AccessKeys";
import type { ScreenProps } from "../types";
import { NewToken } from "./NewToken";
import { TokenDialog } from "./TokenDialog";

const PAGE = 50;

/** Tokens by their accessors: looked up when somebody asks, revoked, made. */
export default function Tokens({ query }: ScreenProps): JSX.Element {
  const [after, setAfter] = useState<string[]>([]);
  const [sought, setSought] = useState("");
  const [shown, setShown] = useState<string | null>(query.get("accessor"));
  const [making, setMaking] = useState(false);
  const last = after[after.length - 1];
  const page = useLoad((signal) => list("auth/token/accessors", { signal, query: { after: last, limit: PAGE } }), [last]);
  const createDenied = useDenied("auth/token/create", "update");
  const tidyDenied = useDenied("auth/token/tidy", "update");
  const keys = page.data ?? [];
  return (
    <Page
      title="Tokens"
      lead="A token is never listed, only its accessor: it finds, renews and revokes the token, and can do nothing else."
      actions={
        <>
          <Button because={tidyDenied} onClick={tidy}>
            Tidy up
          </Button>
          <Button kind="primary" icon="plus" because={createDenied} onClick={() => setMaking(true)}>
            New token
          </Button>
        </>
      }
    >
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (sought.trim()) setShown(sought.trim());
        }}
      >
        <div class="grow">
          <Field label="Accessor" bare mono placeholder="Look up by accessor" value={sought} onInput={setSought} />
        </div>
        <Button type="submit" icon="search" disabled={!sought.trim()}>
          Look up
        </Button>
      </form>
      {page.error ? <Trouble error={page.error} what="the accessors of all tokens" onRetry={page.reload} /> : null}
      {!page.data && !page.error && <Loading />}
      {page.data && (
        <Card
          flush
          title="Accessors"
          foot={
            (after.length > 0 || keys.length === PAGE) && (
              <div class="row apart">
                <Button size="small" disabled={after.length === 0} onClick={() => setAfter(after.slice(0, -1))}>
                  Previous
                </Button>
                <span class="muted small">Page {after.length + 1}</span>
                <Button size="small" disabled={keys.length < PAGE} onClick={() => setAfter([...after, keys[keys.length - 1]!])}>
                  Next
                </Button>
              </div>
            )
          }
        >
          <Table
            label="Accessors"
            rows={keys}
            rowKey={(accessor) => accessor}
            empty={<Empty title="No more tokens" />}
            columns={[
              {
                head: "Accessor",
                cell: (accessor) => (
                  <span class="row">
                    <code class="break">{accessor}</code>
                    {accessor === session.value?.accessor && <Badge tone="accent">yours</Badge>}
                  </span>
                ),
              },
              {
                head: "Actions",
                actions: true,
                cell: (accessor) => (
                  <Button size="small" label={`Look up ${accessor}`} onClick={() => setShown(accessor)}>
                    Look up
                  </Button>
                ),
              },
            ]}
          />
        </Card>
      )}
      <AccessKeys />
      {!page.error && <Note>Rows are looked up one by one when you ask: looking at all of them would be a request each.</Note>}
      <Command cli={["list", "auth/token/accessors"]} request={{ method: "LIST", path: "auth/token/accessors" }} />
      {shown && (
        <TokenDialog
          accessor={shown}
          onClose={(gone) => {
            setShown(null);
            if (gone) page.reload();
          }}
        />
      )}
      {making && (
        <NewToken
          onClose={() => {
            setMaking(false);
            page.reload();
          }}
        />
      )}
    </Page>
  );
}

async function tidy(): Promise<void> {
  await write("auth/token/tidy");
  toast("The server cleans up what ended tokens have left");
}
