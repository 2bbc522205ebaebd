import { ApiError, refusal, send } from "./client";

/** An event as the server sends it. */
export interface CofferEvent {
  id: string;
  time: string;
  source: string;
  specversion: string;
  datacontenttype?: string;
  data: {
    event: { id: string; metadata: Record<string, unknown> };
    event_type: string;
    plugin_info?: { mount_class?: string; mount_accessor?: string; mount_path?: string; plugin?: string; version?: string };
    namespace?: string;
  };
}

/** How a subscription is. */
export type StreamState =
  | { kind: "connecting" }
  | { kind: "live" }
  /** It was cut and is taken up again after the last event that came. */
  | { kind: "waiting"; retryAt: number; why: string }
  /** It can not go on: no right, a pattern that is none, events that are no longer kept. */
  | { kind: "refused"; error: ApiError };

/** What a subscription is about. */
export interface Subscription {
  /** Event types, with `*`. */
  pattern: string;
  onEvent: (event: CofferEvent) => void;
  onState?: (state: StreamState) => void;
  /** Begin after this event instead of now. */
  since?: string;
  /** An expression that events have to fit. */
  filter?: string;
  /** Patterns of namespaces below this one. */
  namespaces?: string[];
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Codes with which the server ends a stream that is not to be taken up again. */
const NOT_ALLOWED = 1008;
const NO_LONGER_KEPT = 4410;

/** Follows events until the returned function is called. A cut stream is taken up again after the last event. */
export function subscribe(wish: Subscription): () => void {
  const ending = new AbortController();
  void follow(wish, ending.signal);
  return () => ending.abort();
}

async function follow(wish: Subscription, ending: AbortSignal): Promise<void> {
  let last = wish.since;
  let wait = FIRST_WAIT_MS;
  const tell = (state: StreamState) => !ending.aborted && wish.onState?.(state);
  while (!ending.aborted) {
    tell({ kind: "connecting" });
    let why = "the connection ended";
    try {
      const response = await open(wish, last, ending);
      tell({ kind: "live" });
      wait = FIRST_WAIT_MS;
      for await (const message of messages(response)) {
        // An id without data moves the position: events that this token may not see went by.
        if (message.id) last = message.id;
        if (message.event === "end") why = reasonOf(message.data);
        else if (message.data) deliver(message.data, wish, ending);
      }
    } catch (error) {
      if (ending.aborted) return;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
        tell({ kind: "refused", error });
        return;
      }
      why = error instanceof Error ? error.message : why;
    }
    const pause = wait * (0.75 + Math.random() / 2);
    tell({ kind: "waiting", retryAt: Date.now() + pause, why });
    await rest(pause, ending);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

async function open(wish: Subscription, last: string | undefined, signal: AbortSignal): Promise<Response> {
  const path = `sys/events/subscribe/${wish.pattern}`;
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (last) headers["Last-Event-ID"] = last;
  const query = { json: true, filter: wish.filter, namespaces: wish.namespaces?.join(",") };
  const response = await send("GET", path, undefined, { headers, query, signal });
  if (response.ok) return response;
  throw await refusal(response, path);
}

function deliver(text: string, wish: Subscription, ending: AbortSignal): void {
  if (ending.aborted) return;
  try {
    wish.onEvent(JSON.parse(text) as CofferEvent);
  } catch (error) {
    // One that can not be read, or a listener's own fault, must not end the stream.
    console.error("an event was left out", error);
  }
}

interface Message {
  id: string;
  event: string;
  data: string;
}

/** Why the server ended a stream. What coming back would not mend is thrown. */
function reasonOf(text: string): string {
  const end = JSON.parse(text) as { code?: number; reason?: string };
  const reason = end.reason ?? "the server ended the stream";
  if (end.code === NOT_ALLOWED) throw new ApiError(403, [reason]);
  if (end.code === NO_LONGER_KEPT) throw new ApiError(410, [reason]);
  return reason;
}

/** The messages of a stream, as the HTML standard frames them. */
async function* messages(response: Response): AsyncGenerator<Message> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let message: Message = { id: "", event: "", data: "" };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (message.data || message.event || message.id) yield { ...message, data: message.data.replace(/\n$/, "") };
          message = { id: "", event: "", data: "" };
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue;
        const name = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") message.data += `${text}\n`;
        else if (name === "id") message.id = text;
        else if (name === "event") message.event = text;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function rest(ms: number, ending: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ending.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
