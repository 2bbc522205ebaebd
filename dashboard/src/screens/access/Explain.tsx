import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { write } from "../../api/client";
import { href, path as placeOf } from "../../shell/router";
import { Badge, Button, Card, Command, Facts, Field, Note, Page, Select, sentence, Table } from "../../ui";
import type { ScreenProps } from "../types";

interface Rule {
  path: string;
  kind: string;
  capabilities: string[];
  policies: { name: string; line: number; capabilities: string[]; template?: string }[];
  does_not_decide_because?: string;
}
interface Answer {
  allowed: boolean;
  reason: string;
  path: string;
  namespace: string;
  operation: string;
  asked_about?: string;
  needed?: string[];
  missing?: { kind: string; name: string; text: string }[];
  decided_by?: Rule | null;
  other_rules?: Rule[];
  other_rules_total?: number;
  notes: string[];
  subject: { display_name: string; accessor: string; entity_id: string; policies: string[] } | null;
  sudo_path: boolean;
}
interface Asked {
  who: "self" | "accessor" | "entity" | "token";
  word: string;
  path: string;
  verb: string;
}

const VERBS = ["read", "list", "scan", "create", "update", "patch", "delete"];
const WHO: Record<Asked["who"], string> = { self: "My token", accessor: "A token, by its accessor", token: "A token itself", entity: "An entity, by its id" };

/** Whether somebody may do something, and by which rule of which policy. */
export default function Explain({ query }: ScreenProps): JSX.Element {
  const accessor = query.get("accessor") ?? "";
  const entity = query.get("entity") ?? "";
  const [asked, setAsked] = useState<Asked>({ who: accessor ? "accessor" : entity ? "entity" : "self", word: accessor || entity, path: query.get("path") ?? "", verb: query.get("verb") ?? "read" });
  const [answer, setAnswer] = useState<{ of: Asked; said: Answer; all: string[] | null } | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<Asked>) => {
    setAsked({ ...asked, ...part });
    setWrong(null);
  };
  const ask = async () => {
    if (busy || !asked.path.trim()) return;
    setBusy(true);
    setWrong(null);
    try {
      const said = (await write<Answer>("sys/policies/explain", bodyOf(asked))).data;
      setAnswer({ of: asked, said, all: await capabilitiesOf(asked) });
    } catch (error) {
      setAnswer(null);
      setWrong(sentence(error instanceof Error ? error.message : String(error)));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (query.get("path")) void ask();
  }, []);
  return (
    <Page title="Explain a decision" crumbs={[{ title: "Policies", path: "/access/policies" }]} lead="May somebody do something, and by which rule? The code that decides each request answers.">
      <Card>
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void ask();
          }}
        >
          <div class="halves">
            <Select label="Who" value={asked.who} onInput={(who) => change({ who: who as Asked["who"], word: "" })} options={Object.entries(WHO).map(([value, label]) => ({ value, label }))} />
            {asked.who !== "self" && <Field label={{ accessor: "Accessor", token: "Token", entity: "Entity id" }[asked.who]} type={asked.who === "token" ? "password" : "text"} mono required value={asked.word} onInput={(word) => change({ word })} />}
          </div>
          <div class="halves">
            <Field label="Path" mono required value={asked.path} onInput={(path) => change({ path })} placeholder="secret/data/app/config" hint="As requests have it, without /v1/." />
            <Select label="Verb" value={asked.verb} onInput={(verb) => change({ verb })} options={VERBS} />
          </div>
          {wrong && <Note tone="bad">{wrong}</Note>}
          <div class="row end">
            <Button type="submit" kind="primary" busy={busy} disabled={!asked.path.trim() || (asked.who !== "self" && !asked.word.trim())}>
              Explain
            </Button>
          </div>
        </form>
      </Card>
      <div role="status" class="stack">{answer && <Said {...answer} />}</div>
      <Command cli={["policy", "explain", ...cliOf(asked), asked.path || "PATH", asked.verb]} request={{ method: "POST", path: "sys/policies/explain", body: { ...bodyOf(asked), ...(asked.who === "token" ? { token: "…" } : {}) } }} />
    </Page>
  );
}

function Said({ of, said, all }: { of: Asked; said: Answer; all: string[] | null }): JSX.Element {
  return (
    <>
      <Note tone={said.allowed ? "good" : "bad"} title={`${said.allowed ? "Allowed" : "Refused"}: ${said.operation} on ${said.path}`}>
        {sentence(said.reason)}.
      </Note>
      <Card title="Why">
        <div class="stack">
          <Facts
            facts={[
              ["Who", said.subject && (said.subject.display_name || said.subject.entity_id || said.subject.accessor)],
              ["Policies", said.subject && <Names names={said.subject.policies} />],
              ["Namespace", said.namespace || "root"],
              ["Needed", said.needed?.length ? <Words words={said.needed} /> : null],
              ["Missing", said.missing?.length ? said.missing.map(({ text }) => text).join("; ") : null],
              ["May do there", all && <Words words={all} />],
              ["Root-protected", said.sudo_path && "yes: it needs sudo besides"],
            ]}
          />
          {said.decided_by ? (
            <div class="stack tight">
              <h3>The rule that decides</h3>
              <p class="row break">
                <code>
                  path "{said.decided_by.path}"
                </code>{" "}
                <span class="muted">({said.decided_by.kind})</span> <Words words={said.decided_by.capabilities} />
              </p>
              <ul class="stack tight small">
                {said.decided_by.policies.map((one) => (
                  <li key={`${one.name} ${one.line}`} class="break">
                    Policy <a class="in-text" href={href(placeOf("access", "policies", "edit", one.name))}>{one.name}</a>, line {one.line}, grants {one.capabilities.join(", ") || "nothing"}
                    {one.template && <span class="muted"> (written as {one.template})</span>}
                  </li>
                ))}
              </ul>
            </div>
          ) : (
            !said.allowed && <p class="muted">No rule is about this path. Write one for {of.path}, in a policy that is theirs.</p>
          )}
          {said.notes.map((note) => (
            <Note key={note}>{sentence(note)}</Note>
          ))}
        </div>
      </Card>
      {(said.other_rules?.length ?? 0) > 0 && (
        <Card title={`${said.other_rules_total} other ${said.other_rules_total === 1 ? "rule fits" : "rules fit"}, and ${said.other_rules_total === 1 ? "does" : "do"} not decide`} flush>
          <Table
            label="Other rules"
            rows={said.other_rules!}
            rowKey={({ path }) => path}
            columns={[
              { head: "Path", cell: ({ path }) => <code class="break">{path}</code> },
              { head: "Grants", cell: ({ capabilities }) => <Words words={capabilities} /> },
              { head: "Policy", cell: ({ policies }) => policies.map(({ name, line }) => `${name}:${line}`).join(", ") },
              { head: "Why not", cell: ({ does_not_decide_because: why }) => why ?? "" },
            ]}
          />
        </Card>
      )}
    </>
  );
}

const Words = ({ words }: { words: string[] }): JSX.Element => (
  <span class="row">
    {words.map((word) => (
      <Badge key={word} tone={word === "deny" ? "bad" : "accent"}>
        {word}
      </Badge>
    ))}
  </span>
);

const Names = ({ names }: { names: string[] }): JSX.Element => (
  <span class="row">
    {names.map((name) => (
      <a key={name} href={href(placeOf("access", "policies", "edit", name))}>
        {name}
      </a>
    ))}
  </span>
);

function bodyOf({ who, word, path, verb }: Asked): Record<string, string> {
  return { ...(who === "self" ? {} : { [who]: word.trim() }), path: path.trim().replace(/^\/(v1\/)?/, ""), verb };
}

function cliOf({ who, word }: Asked): string[] {
  switch (who) {
    case "self":
      return [];
    case "token":
      return ["-"];
    default:
      return [`-${who}=${word || "…"}`];
  }
}

/** Everything they may do there; nothing where this token may not ask that. */
async function capabilitiesOf({ who, word, path }: Asked): Promise<string[] | null> {
  const place = path.trim().replace(/^\/(v1\/)?/, "");
  const asks: Partial<Record<Asked["who"], [string, object]>> = {
    self: ["sys/capabilities-self", { paths: [place] }],
    accessor: ["sys/capabilities-accessor", { accessor: word.trim(), paths: [place] }],
    token: ["sys/capabilities", { token: word.trim(), paths: [place] }],
  };
  const one = asks[who];
  if (!one) return null;
  const answer = await write<{ capabilities?: string[] }>(one[0], one[1]).catch(() => null);
  return answer?.data.capabilities ?? null;
}
