import { signal } from "@preact/signals";
import { subscribe, type CofferEvent } from "../../api/events";
import { namespace } from "../../session";
import { onForget } from "../../session/forget";
import { forgetLag, measure, streamOpened } from "./lag";
import { rowOf, type Row } from "./rows";
import { gapOf, Tail } from "./tail";

/** What the server is asked to send. */
export interface Wish {
  /** Kinds, with `*`. */
  kinds: string;
  /** Patterns of namespaces below this one, besides it. */
  namespaces: string[];
  /** An expression; empty for none. */
  filter: string;
}

export const ALL: Wish = { kinds: "*", namespaces: [], filter: "" };

/** The events. */
export const tail = new Tail<Row>();
/** What is sought among those that are here, and the areas that are shown; all if there is none. */
export const sought = signal("");
export const areas = signal<ReadonlySet<string>>(new Set());

// What the rows are about, and the place in the server's log that was reached: who comes back goes on from there.
let about = "";
let position: string | undefined;

onForget(() => {
  about = "";
  position = undefined;
  sought.value = "";
  areas.value = new Set();
});

/** Where to begin: where it was, with what comes from now on, with all that the server keeps, or from now on with a gap before. */
export type Begin = "on" | "now" | "oldest" | "gap";

/** Follows what is wished for, until the returned function is called. Another wish than before begins anew. */
export function follow(wish: Wish, from: Begin = "on"): () => void {
  const now = JSON.stringify([namespace.value, wish]);
  if (from === "gap" && now === about) leaveGap();
  else if (now !== about || from !== "on") startAnew(now, from === "oldest" ? from : undefined);
  begin(wish);
  return () => tail.end();
}

/** The rows stay, and a line says that some may be missing after them. */
function leaveGap(): void {
  position = undefined;
  tail.add(gapOf("What happened between these is no longer kept by the server."));
}

function startAnew(next: string, since: string | undefined): void {
  about = next;
  position = since;
  tail.clear();
  tail.pause(false);
  areas.value = new Set();
  forgetLag();
}

function begin(wish: Wish): void {
  tail.begin(({ add, state }) => {
    const onEvent = (event: CofferEvent) => {
      const row = rowOf(event);
      add(row);
      measure(event.time, row.arrived);
    };
    return subscribe({
      pattern: wish.kinds,
      filter: wish.filter,
      namespaces: wish.namespaces,
      since: position,
      onEvent,
      onPosition: (id) => (position = id),
      onState: (now) => {
        if (now.kind === "live") streamOpened();
        state(now);
      },
    });
  });
}
