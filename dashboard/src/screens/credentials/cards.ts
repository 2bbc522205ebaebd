import { signal } from "@preact/signals";
import { read, write } from "../../api/client";
import type { CofferEvent } from "../../api/events";
import { namespace, onForget, type Capability } from "../../session";
import { grants } from "../../session/capabilities";
import { duration } from "../../ui";
import { productOf } from "./database";
import { isGone, lifeOf, local, lookup, renew, revoke } from "./leases";

/** What became of a lease. `over` is known by the clock alone, before the server says so. */
export type CardState = "live" | "over" | "expired" | "revoked";

/** What happened to a credential. */
export interface Step {
  at: number;
  tone: "good" | "warn" | "bad" | "";
  text: string;
}

/** What the database said to a login. */
export interface Verdict {
  at: number;
  said: "accepted" | "refused" | "untried";
  text: string;
}

/** A credential that was issued on this page. It is in the page's memory only. */
export interface Card {
  id: string;
  namespace: string;
  mount: string;
  role: string;
  /** The configuration to verify at; "" if it is not known. */
  connection: string;
  /** What the database is: PostgreSQL. */
  product: string;
  username: string;
  /** null once it is not needed any more. */
  password: string | null;
  expires: number;
  /** The whole life in seconds, since the issue or the last renewal. */
  ttl: number;
  renewable: boolean;
  state: CardState;
  /** When it ended; 0 while it lives. */
  endedAt: number;
  /** Why it could not be revoked. */
  trouble: string | null;
  verdict: Verdict | null;
  /** Its life so far, the latest last. */
  life: Step[];
  may: { verify: boolean; renew: boolean; revoke: boolean; lookup: boolean };
}

/** So many cards are kept; of those that ended the oldest go first. */
export const CARDS_MAX = 50;
const STEPS_MAX = 12;
/** After the end of a lease the server needs a moment to remove the user. */
const AFTER_END_MS = 1_200;
const END_TRIES = 5;
/** Two words for one end differ by a second at most: one of them counts whole ones. */
const SAME_END_MS = 1_200;
/** A password that has ended is kept for a proof that it has, but not for long. */
const KEPT_AFTER_END_MS = 10 * 60_000;
/** Longer waits than this are none to browsers. */
const WAIT_MAX_MS = 2_000_000_000;

/** The credentials of this session, the newest first. */
export const cards = signal<Card[]>([]);
const timers = new Map<string, number>();
let session = 0;
onForget(() => {
  session++;
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  cards.value = [];
});

/** Whether one more card fits. */
export const isFull = (): boolean => cards.value.filter(({ state }) => isOpen(state)).length >= CARDS_MAX;

/** Issues a credential of a role and keeps it as a card. */
export async function issue(mount: string, role: string, connection: string): Promise<Card> {
  const space = namespace.value;
  const begun = session;
  const about = await describe(mount, connection, space);
  const answer = await read<{ username?: string; password?: string }>(`${mount}/creds/${role}`, { namespace: space });
  const card: Card = {
    id: answer.leaseId,
    namespace: space,
    mount,
    role,
    connection,
    ...about,
    username: String(answer.data.username ?? ""),
    password: answer.data.password ?? null,
    expires: Date.now() + answer.leaseDuration * 1_000,
    ttl: answer.leaseDuration,
    renewable: answer.renewable,
    state: "live",
    endedAt: 0,
    trouble: null,
    verdict: null,
    life: [step("good", `Issued for ${duration(answer.leaseDuration)}`)],
  };
  // Whoever signed out meanwhile left nothing behind.
  if (begun !== session) return card;
  keep(card);
  await look(card.id).catch(() => {});
  plan(card.id);
  return card;
}

/** Extends a card's lease; the server's warnings. */
export async function extend(id: string, increment: string): Promise<string[]> {
  const { seconds, renewable, warnings } = await renew(id, increment, whereOf(id));
  change(id, { renewable });
  renewed(id, Date.now() + seconds * 1_000, seconds);
  await look(id).catch(() => {});
  plan(id);
  return warnings;
}

/** Ends a card's lease. */
export async function finish(id: string): Promise<void> {
  await revoke(id, whereOf(id));
  ended(id, "revoked");
}

/** Puts a card away. The credential goes out of the page's memory; its lease lives on. */
export function dismiss(id: string): void {
  stopTimers(id);
  cards.value = cards.value.filter((card) => card.id !== id);
}

/** Puts all cards away that have ended. */
export function dismissEnded(): void {
  for (const { id, state } of cards.value) if (!isOpen(state)) dismiss(id);
}

/** Tries the login of a card. */
export async function verify(id: string): Promise<Verdict | null> {
  const card = find(id);
  if (!card?.connection || !card.password) return null;
  const verdict = await attempt(card, card.password);
  const now = find(id);
  if (!now) return null;
  change(id, { verdict });
  tell(id, { accepted: "good", refused: "bad", untried: "warn" }[verdict.said] as Step["tone"], { accepted: "Login accepted", refused: "Login refused", untried: "Login not tried" }[verdict.said]);
  // It has shown that it lets nobody in; nothing is left to do with it.
  if (verdict.said === "refused" && !isOpen(now.state)) change(id, { password: null });
  return verdict;
}

/** Whether a lease has not ended yet. */
export const isOpen = (state: CardState): boolean => state === "live" || state === "over";

/** Takes an event of somebody, this page or not. */
export function take(event: CofferEvent): void {
  const { lease_id: id, expire_time: expires } = event.data.event.metadata as Record<string, string | undefined>;
  const card = id ? find(id) : undefined;
  if (!id || !card || !isOpen(card.state)) return;
  switch (event.data.event_type) {
    case "lease/renew":
      if (expires) renewed(id, local(expires), Math.max(1, Math.round((Date.parse(expires) - Date.parse(event.time)) / 1_000)));
      break;
    case "lease/revoke":
      ended(id, "revoked");
      break;
    case "lease/expire":
      ended(id, "expired");
      break;
    case "lease/revoke-fail":
    case "lease/irrevocable":
      void look(id).catch(() => {});
      break;
  }
}

/** Looks at the cards that live: for tokens that get no events, and after a time without them. */
export async function lookAtAll(): Promise<void> {
  for (const { id } of cards.value.filter(({ state }) => isOpen(state))) await look(id).catch(() => {});
}

/** What the token may do with it, asked in its own namespace, whichever is looked at later. */
async function describe(mount: string, connection: string, space: string): Promise<Pick<Card, "product" | "may">> {
  const at = { namespace: space };
  const verifying = `${mount}/verify-login/${connection}`;
  const config = `${mount}/config/${connection}`;
  const paths = [verifying, config, "sys/leases/renew", "sys/leases/revoke", "sys/leases/lookup"];
  const { data } = await write<Record<string, Capability[]>>("sys/capabilities-self", { paths }, at).catch(() => ({ data: {} as Record<string, Capability[]> }));
  const can = (path: string, one: Capability = "update") => grants(data[path], one);
  return {
    product: connection && can(config, "read") ? await productOf(mount, connection, at) : "the database",
    may: { verify: connection !== "" && can(verifying), renew: can("sys/leases/renew"), revoke: can("sys/leases/revoke"), lookup: can("sys/leases/lookup") },
  };
}

async function attempt(card: Card, password: string): Promise<Verdict> {
  try {
    const path = `${card.mount}/verify-login/${card.connection}`;
    const { data } = await write<{ accepted: boolean; message: string }>(path, { username: card.username, password }, { namespace: card.namespace });
    return { at: Date.now(), said: data.accepted ? "accepted" : "refused", text: data.accepted ? "" : data.message };
  } catch (error) {
    return { at: Date.now(), said: "untried", text: error instanceof Error ? error.message : String(error) };
  }
}

async function look(id: string): Promise<void> {
  const card = find(id);
  if (!card?.may.lookup) return;
  try {
    const lease = await lookup(id, whereOf(id));
    const now = find(id);
    if (!now || !isOpen(now.state)) return;
    const expires = local(lease.expire_time);
    const trouble = lease.revocation_error ?? null;
    renewed(id, expires, lifeOf(lease));
    if (trouble && !now.trouble) tell(id, "bad", "Could not be revoked");
    change(id, { expires, ttl: lifeOf(lease), renewable: lease.renewable, trouble, state: expires > Date.now() ? "live" : "over" });
  } catch (error) {
    const now = find(id);
    if (!isGone(error) || !now) throw error;
    ended(id, now.expires <= Date.now() + AFTER_END_MS ? "expired" : "revoked");
  }
}

/** Takes a new end. The answer and the event of one renewal both say it; it is told once. */
function renewed(id: string, expires: number, ttl: number): void {
  const card = find(id);
  if (!card || !isOpen(card.state) || Math.abs(expires - card.expires) < SAME_END_MS) return;
  change(id, { expires, ttl, state: "live" });
  tell(id, "good", `Renewed for ${duration(ttl)}`);
  plan(id);
}

function ended(id: string, state: "expired" | "revoked"): void {
  const card = find(id);
  if (!card || !isOpen(card.state)) return;
  stopTimers(id);
  change(id, { state, endedAt: Date.now(), trouble: null });
  tell(id, "", state === "revoked" ? "Revoked" : "Expired");
  const begun = session;
  timers.set(`${id} password`, window.setTimeout(() => begun === session && change(id, { password: null }), KEPT_AFTER_END_MS));
  // Whoever has seen the login accepted sees it refused in that moment. Without it nothing is tried unasked: refusals are counted.
  if (card.may.verify && card.verdict?.said === "accepted") void verifyTheEnd(id, END_TRIES);
}

async function verifyTheEnd(id: string, tries: number): Promise<void> {
  const verdict = await verify(id);
  if (verdict?.said === "accepted" && tries > 1) timers.set(id, window.setTimeout(() => void verifyTheEnd(id, tries - 1), AFTER_END_MS));
}

/** Sets the clock for the moment in which a lease ends. */
function plan(id: string, tries = END_TRIES): void {
  clearTimeout(timers.get(id));
  const card = find(id);
  if (!card || !isOpen(card.state)) return;
  const wait = card.expires - Date.now();
  if (wait > 0) {
    timers.set(id, window.setTimeout(() => plan(id), Math.min(wait, WAIT_MAX_MS)));
    return;
  }
  change(id, { state: "over" });
  timers.set(id, window.setTimeout(() => void closeLook(id, tries), AFTER_END_MS));
}

/** Asks whether a lease whose time is over has ended. */
async function closeLook(id: string, tries: number): Promise<void> {
  await look(id).catch(() => {});
  const card = find(id);
  if (!card || !isOpen(card.state)) return;
  if (card.state === "live") return plan(id);
  // Where it can not be asked, the clock has to do.
  if (!card.may.lookup) return ended(id, "expired");
  // Later looks are those of the screen.
  if (tries > 1) plan(id, tries - 1);
}

function keep(card: Card): void {
  const open = cards.value.filter(({ state }) => isOpen(state));
  const room = Math.max(0, CARDS_MAX - 1 - open.length);
  const stay = new Set([...open, ...cards.value.filter(({ state }) => !isOpen(state)).slice(0, room)]);
  for (const { id } of cards.value.filter((one) => !stay.has(one))) stopTimers(id);
  cards.value = [card, ...cards.value.filter((one) => stay.has(one))];
}

function stopTimers(id: string): void {
  for (const key of [id, `${id} password`]) {
    clearTimeout(timers.get(key));
    timers.delete(key);
  }
}

const find = (id: string): Card | undefined => cards.value.find((card) => card.id === id);
const whereOf = (id: string): { namespace: string } => ({ namespace: find(id)?.namespace ?? namespace.value });
const step = (tone: Step["tone"], text: string): Step => ({ at: Date.now(), tone, text });

function tell(id: string, tone: Step["tone"], text: string): void {
  const card = find(id);
  if (card) change(id, { life: [...card.life, step(tone, text)].slice(-STEPS_MAX) });
}

function change(id: string, fields: Partial<Card>): void {
  cards.value = cards.value.map((card) => (card.id === id ? { ...card, ...fields } : card));
}
