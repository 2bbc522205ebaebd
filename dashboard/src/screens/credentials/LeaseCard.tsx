import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { namespace } from "../../session";
import { Badge, Button, Command, Confirm, Copy, duration, Field, Note, Ring, sentence, toast, useNow, warned } from "../../ui";
import { dismiss, extend, finish, isOpen, verify, type Card, type CardState } from "./cards";
import { Over } from "./Over";

const WORDS: Record<CardState, string> = { live: "alive", over: "ending", expired: "expired", revoked: "revoked" };

/** A credential that was issued on this page, from its first second to after its last. */
export function LeaseCard({ card }: { card: Card }): JSX.Element {
  const open = isOpen(card.state);
  const [leaving, setLeaving] = useState(false);
  return (
    <article class={`card cred-card ${open ? "" : "ended"}`} aria-label={`Credential ${card.username}`} data-lease={card.id} data-state={card.state}>
      <div class="cred-head">
        {card.state === "expired" || card.state === "revoked" ? <Over how={card.state} /> : <Ring expires={card.expires} ttl={card.ttl} size={72} />}
        <div class="grow">
          <h3 class="break">{card.role}</h3>
          <div class="small muted break">
            a user of {card.mount}/{card.namespace !== namespace.value && ` in ${card.namespace || "the root"}`}
          </div>
          <div class="row cred-now">
            <State card={card} />
            <Left card={card} />
          </div>
        </div>
        <Button kind="quiet" size="small" icon="close" label={`Put the card of ${card.username} away`} onClick={() => (open ? setLeaving(true) : dismiss(card.id))} />
      </div>
      {card.trouble && (
        <Note tone="bad" title="It could not be revoked, and is tried again">
          {card.trouble}
        </Note>
      )}
      <dl class="cred-facts">
        <Fact name="User" copy={card.username}>
          <code class="break">{card.username}</code>
        </Fact>
        <Fact name="Password" copy={card.password ?? undefined}>
          {card.password === null ? <span class="muted">forgotten; it has ended</span> : <span class="muted cred-dots">••••••••••</span>}
        </Fact>
        <Fact name="Database">{card.connection ? <code class="break">{card.connection}</code> : <span class="muted">not known</span>}</Fact>
        <Fact name="Lease" copy={card.id}>
          <code class="break">{card.id}</code>
        </Fact>
      </dl>
      <Proof card={card} />
      {open && <Acts card={card} />}
      <ol class="cred-life" aria-label="Its life">
        {card.life.map(({ at, tone, text }, index) => (
          <li key={`${at} ${index}`} class={tone}>
            <time class="num muted">{clock(at)}</time>
            <span>{text}</span>
          </li>
        ))}
      </ol>
      {open && card.may.verify && card.namespace === namespace.value && <Verifying card={card} />}
      {leaving && (
        <Confirm title="Put this card away?" verb="Put away" onConfirm={() => dismiss(card.id)} onClose={() => setLeaving(false)}>
          The credential lives on until its time is over, but this page forgets its password. Keep a copy first if you need it.
        </Confirm>
      )}
    </article>
  );
}

function State({ card }: { card: Card }): JSX.Element {
  return (
    <span aria-live="polite">
      <Badge tone={card.trouble ? "bad" : card.state === "live" ? "good" : card.state === "over" ? "warn" : ""} dot>
        {card.trouble ? "not revoked" : WORDS[card.state]}
      </Badge>
    </span>
  );
}

/** The time that is left, in words that move. */
function Left({ card: { state, expires, endedAt } }: { card: Card }): JSX.Element {
  const now = useNow(1_000);
  if (!isOpen(state)) return <div class="small muted num">at {clock(endedAt)}</div>;
  const left = Math.max(0, Math.ceil((expires - now) / 1_000));
  return (
    <div class="small muted num">
      {left > 0 ? `${duration(left)} left, until ${clock(expires)}` : "its time is over"}
    </div>
  );
}

function Fact({ name, copy, children }: { name: string; copy?: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span class="grow">{children}</span>
        {copy && <Copy text={copy} label={name === "Password" ? "Copy the password without showing it" : `Copy the ${name.toLowerCase()}`} />}
      </dd>
    </div>
  );
}

/** Whether the database lets the user in, and when that was tried. */
function Proof({ card }: { card: Card }): JSX.Element {
  const { verdict, product, may, connection, password } = card;
  const because = !connection ? "The role can not be read, so its database is not known." : !may.verify && `No policy of your token grants update on ${card.mount}/verify-login/${connection}`;
  const tone = verdict ? ({ accepted: "good", refused: "bad", untried: "warn" } as const)[verdict.said] : "";
  const words = verdict && { accepted: `${sentence(product)} accepts this login`, refused: `${sentence(product)} refuses this login`, untried: "It could not be tried" }[verdict.said];
  return (
    <div class={`cred-proof ${tone}`}>
      <div class="grow" role="status">
        {verdict ? (
          <>
            <strong>{words}</strong>
            <span class="muted small nowrap"> at {clock(verdict.at)}</span>
            {verdict.text && <div class="small break">{sentence(verdict.text)}</div>}
          </>
        ) : (
          <span class="small muted">{because || (password ? "Does it work? The database can be asked." : "It was not verified before it ended.")}</span>
        )}
      </div>
      {!because && password && (
        <Button size="small" onClick={() => verify(card.id)}>
          {verdict ? "Verify again" : "Verify against the database"}
        </Button>
      )}
    </div>
  );
}

function Acts({ card }: { card: Card }): JSX.Element {
  const [revoking, setRevoking] = useState(false);
  const [increment, setIncrement] = useState("");
  const renewing = async () => {
    warned(await extend(card.id, increment.trim()));
    toast("The lease was extended");
  };
  return (
    <form class="cred-acts" onSubmit={(event) => event.preventDefault()}>
      <Field bare label={`Renew ${card.username} by`} placeholder="by 90s, 5m …" value={increment} onInput={setIncrement} />
      <Button type="submit" icon="refresh" because={!card.may.renew ? "No policy of your token grants update on sys/leases/renew" : !card.renewable && "This lease can not be renewed."} onClick={renewing}>
        Renew
      </Button>
      <Button kind="danger" because={!card.may.revoke && "No policy of your token grants update on sys/leases/revoke"} onClick={() => setRevoking(true)}>
        Revoke
      </Button>
      {revoking && (
        <Confirm title="Revoke this credential?" verb="Revoke" danger onConfirm={() => finish(card.id)} onClose={() => setRevoking(false)}>
          <div class="stack">
            <span>
              The user <span class="mono">{card.username}</span> is removed at once; whoever works with it is cut off. That can not be taken back.
            </span>
            {card.namespace === namespace.value && <Command cli={["lease", "revoke", card.id]} request={{ method: "POST", path: "sys/leases/revoke", body: { lease_id: card.id } }} />}
          </div>
        </Confirm>
      )}
    </form>
  );
}

/** Verifying by the command line; the password is asked for there. */
function Verifying({ card: { mount, connection, username } }: { card: Card }): JSX.Element {
  const path = `${mount}/verify-login/${connection}`;
  return <Command cli={["write", path, `username=${username}`, "password=-"]} request={{ method: "POST", path, body: { username, password: "…" } }} />;
}

const clock = (at: number): string => new Date(at).toLocaleTimeString();
