import { namespace, refused } from "../session/bearer";
import { ApiError, refusal, send } from "./client";
import { messages } from "./sse";
import { keepOpen, type StreamState } from "./stream";

export type { StreamState } from "./stream";

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

/** What a subscription is about. */
export interface Subscription {
  /** Event types, with `*`. */
  pattern: string;
  onEvent: (event: CofferEvent) => void;
  onState?: (state: StreamState) => void;
  /** The place in the log that was reached, also by events that are not shown: what `since` goes on after. */
  onPosition?: (id: string) => void;
  /** Begin after this event instead of now; `oldest` for all that is kept. */
  since?: string;
  /** An expression that events have to fit. */
  filter?: string;
  /** Patterns of namespaces below this one. */
  namespaces?: string[];
}

/** Codes with which the server ends a stream that is not to be taken up again. */
const NOT_ALLOWED = 1008;
const NO_LONGER_KEPT = 4410;

/** Follows events of the namespace at hand until the returned function is called. A cut stream is taken up again after the last event. */
export function subscribe(wish: Subscription): () => void {
  const ending = new AbortController();
  // Whoever goes to another namespace meanwhile must not get a stream that is half of each.
  const space = namespace.value;
  let last = wish.since;
  const reading = async (signal: AbortSignal, live: () => void) => {
    const response = await open(wish, space, last, signal);
    live();
    for await (const message of messages(response)) {
      if (signal.aborted) break;
      // An id without data moves the position: events that this token may not see went by.
      if (message.id) wish.onPosition?.((last = message.id));
      if (message.event === "end") return reasonOf(message.data);
      if (message.data) deliver(message.data, wish);
    }
    return "the connection ended";
  };
  void keepOpen(reading, ending.signal, (state) => wish.onState?.(state));
  return () => ending.abort();
}

async function open(wish: Subscription, space: string, last: string | undefined, signal: AbortSignal): Promise<Response> {
  const path = `sys/events/subscribe/${wish.pattern}`;
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (last) headers["Last-Event-ID"] = last;
  const query = { json: true, filter: wish.filter || undefined, namespaces: wish.namespaces?.join(",") || undefined };
  const response = await send("GET", path, undefined, { headers, query, signal, namespace: space });
  if (response.ok) return response;
  throw await refusal(response, path);
}

function deliver(text: string, wish: Subscription): void {
  try {
    wish.onEvent(JSON.parse(text) as CofferEvent);
  } catch (error) {
    // One that can not be read, or a listener's own fault, must not end the stream.
    console.error("an event was left out", error);
  }
}

/** Why the server ended a stream. What coming back would not mend is thrown. */
export function reasonOf(text: string): string {
  const end = JSON.parse(text) as { code?: number; reason?: string };
  const reason = end.reason ?? "the server ended the stream";
  if (end.code === NO_LONGER_KEPT) throw new ApiError(410, [reason]);
  if (end.code !== NOT_ALLOWED) return reason;
  const error = new ApiError(403, [reason]);
  // The token may have ended: the session finds out.
  refused(error);
  throw error;
}
