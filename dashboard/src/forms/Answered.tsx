import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Answer } from "../api/client";
import { print, shown } from "../api/json";
import { showOnce } from "../session/once";
import { href } from "../shell/router";
import { Button, Card, Code, Copy, download, Facts, Note, Ring, Secret, sentence } from "../ui";
import type { Outcome } from "./run";
import { isSecretName } from "./secrets";
import { Shown, ShownFacts } from "./Shown";

interface Props {
  outcome: Outcome;
  /** What the server says of the answer's fields. */
  about: Record<string, string>;
  path: string;
  /** It is names alone, none of them a secret. */
  plain?: boolean;
  /** All of it is secret. */
  covered?: boolean;
  /** It was made by this request: a secret in it is shown this once. */
  made?: boolean;
}

/** What came of a request: facts, a text or a file; and what the server gave besides: warnings, a lease, a token. */
export function Answered({ outcome, about, path, plain, covered, made }: Props): JSX.Element {
  const [came] = useState(Date.now);
  const { answer, text, file, isCut } = outcome;
  const once = made === true && answer !== null && answer !== undefined && holdsSecret(answer);
  // A token that ends, or a server that is sealed, does not take it away.
  useEffect(() => (once ? showOnce() : undefined), [once]);
  const name = path.split("/").filter(Boolean).pop() ?? "answer";
  return (
    <Card title="Answer" actions={answer && hasData(answer) && <Copy text={() => print(answer.data)} words="Copy as JSON" label="Copy as JSON" />}>
      <div class="stack">
        {answer?.warnings.map((one) => (
          <Note key={one} tone="warn">
            {sentence(one)}
          </Note>
        ))}
        {answer && <Contents {...{ answer, about, came, plain, covered }} />}
        {text && <Code text={text} label="Copy the answer" />}
        {text && (
          <div class="row">
            <Button size="small" icon="download" onClick={() => download(`${name}.txt`, text)}>
              Download
            </Button>
          </div>
        )}
        {isCut && <Note tone="warn">There is more than is shown: it was stopped, or is longer than this page keeps.</Note>}
        {file && (
          <div class="row">
            <span>A file of {Math.ceil(file.size / 1024)} KiB.</span>
            <Button icon="download" onClick={() => download(name, file)}>
              Download
            </Button>
          </div>
        )}
        {!text && !file && !(answer && (hasData(answer) || answer.auth || answer.wrapInfo)) && <Note tone="good">Done. The answer has no contents.</Note>}
      </div>
    </Card>
  );
}

const holdsSecret = ({ data, auth, wrapInfo }: Answer<unknown>): boolean => Boolean(auth ?? wrapInfo) || (typeof data === "object" && data !== null && Object.keys(data).some(isSecretName));

const hasData = ({ data }: Answer<unknown>): boolean => typeof data === "object" && data !== null && Object.keys(data).length > 0;

function Contents({ answer, about, came, plain, covered }: Pick<Props, "about" | "plain" | "covered"> & { answer: Answer<unknown>; came: number }): JSX.Element {
  const { data, auth, wrapInfo } = answer;
  return (
    <>
      {answer.leaseId && <Lease answer={answer} came={came} />}
      {hasData(answer) && (plain ? <Names data={data as Record<string, unknown>} /> : <ShownFacts data={data as Record<string, unknown>} about={about} covered={covered} />)}
      {auth && (
        <section class="stack tight" aria-label="The token">
          <h3>The token</h3>
          <ShownFacts data={auth as unknown as Record<string, unknown>} />
        </section>
      )}
      {wrapInfo && (
        <section class="stack tight" aria-label="The wrapped answer">
          <h3>Wrapped</h3>
          <p class="muted small">The answer waits behind this token, which opens it once: coffer unwrap, or sys/wrapping/unwrap.</p>
          <Facts
            facts={[
              ["Token", <Secret value={wrapInfo.token} label="the wrapping token" />],
              ["Ends after", <Shown name="ttl" value={wrapInfo.ttl} />],
              ["Made by", <code class="break">{wrapInfo.creation_path}</code>],
            ]}
          />
        </section>
      )}
    </>
  );
}

/** Names that were listed, and what is said of each. */
function Names({ data }: { data: Record<string, unknown> }): JSX.Element {
  const { keys, ...rest } = data;
  return (
    <>
      {Array.isArray(keys) && <Shown name="name" value={keys.map((one) => shown(one))} />}
      {Object.keys(rest).length > 0 && <ShownFacts data={rest} />}
    </>
  );
}

function Lease({ answer, came }: { answer: Answer<unknown>; came: number }): JSX.Element {
  return (
    <div class="note good" role="group" aria-label="The lease">
      <Ring expires={came + answer.leaseDuration * 1_000} ttl={answer.leaseDuration} />
      <div class="grow stack tight">
        <div class="row">
          <code class="break">{answer.leaseId}</code>
          <Copy text={answer.leaseId} label="Copy the lease's id" />
        </div>
        <div class="muted">
          {answer.renewable ? "It can be renewed and revoked" : "It can be revoked"} among the <a class="in-text" href={href("/credentials")}>leases</a>.
        </div>
      </div>
    </div>
  );
}
