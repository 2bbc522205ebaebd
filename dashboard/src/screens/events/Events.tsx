import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { session } from "../../session";
import { go } from "../../shell/router";
import { Card, Command, Empty, Page } from "../../ui";
import type { ScreenProps } from "../types";
import { EventDialog } from "./EventDialog";
import { EventList } from "./EventList";
import "./events.css";
import { lag } from "./lag";
import { Grant, Refused } from "./Refused";
import type { EventRow } from "./rows";
import { follow, tail, type Begin, type Wish } from "./store";
import { StreamBadge } from "./StreamBadge";
import { isGap } from "./tail";
import { TailActions } from "./TailActions";
import { placeOfWish, wishOf } from "./wish";
import { WishForm, wrongOf } from "./WishForm";

/** What happens, as it happens. */
export default function Events({ query }: ScreenProps): JSX.Element {
  const wish = useMemo(() => wishOf(query), [query.toString()]);
  const [opened, setOpened] = useState<EventRow | null>(null);
  const again = useFollowing(wish);
  const state = tail.state.value;
  const error = state?.kind === "refused" ? state.error : null;
  const send = (next: Wish, begin: Begin) => {
    go(placeOfWish(next), { replace: true });
    again(begin);
  };
  return (
    <Page title="Events" lead="What changes here, in the moment in which it does: names and paths, never values." actions={<TailActions tail={tail} />}>
      <Card flush>
        <div class="tail-head">
          <StreamBadge state={state} paused={tail.paused.value} came={tail.came.value} />
          <Behind />
        </div>
        <WishForm wish={wish} error={error} kinds={kindsSeen()} onSend={send} />
        {error && !wrongOf(error) && <Refused error={error} wish={wish} again={again} />}
        <EventList onOpen={setOpened} quiet={error ? null : <Quiet kinds={wish.kinds} />} />
      </Card>
      <Command cli={commandOf(wish)} request={{ method: "GET", ...requestOf(wish), headers: { Accept: "text/event-stream" }, stream: true }} />
      {opened && <EventDialog row={opened} onClose={() => setOpened(null)} />}
    </Page>
  );
}

/** Follows a wish while the screen is shown; what is returned follows it again, from another place if that is wanted. */
function useFollowing(wish: Wish): (begin: Begin) => void {
  const [round, setRound] = useState(0);
  const begin = useRef<Begin>("on");
  useEffect(() => {
    const from = begin.current;
    begin.current = "on";
    return follow(wish, from);
  }, [wish, round]);
  return (from) => {
    begin.current = from;
    setRound((last) => last + 1);
  };
}

/** How far behind this page is. */
function Behind(): JSX.Element | null {
  if (tail.state.value?.kind !== "live" || !lag.value) return null;
  const { ms, clocksMs } = lag.value;
  const clocks = clocksMs && `; the clocks of this machine and the server differ by about ${Math.round(Math.abs(clocksMs) / 100) / 10} s, which is taken off`;
  return (
    <span class="small muted num" title={`From an event to its arrival here, in the middle of the last ones${clocks || ""}`}>
      {ms.toLocaleString()} ms behind
    </span>
  );
}

/** Nothing is here yet: what can be expected, and why it may stay so. */
function Quiet({ kinds }: { kinds: string }): JSX.Element {
  return (
    <div class="stack">
      <Empty icon="events" title="Nothing has happened yet" text="Events appear in the moment in which something changes. To see what happened before, choose to begin with all that the server still keeps." />
      {!session.value?.isRoot && (
        <details class="command grant">
          <summary>Events are shown where a policy grants “subscribe”</summary>
          <Grant kinds={kinds} />
        </details>
      )}
    </div>
  );
}

const kindsSeen = (): string[] => [...new Set(tail.rows.peek().flatMap((row) => (isGap(row) ? [] : [row.event.data.event_type])))].sort();

function commandOf({ kinds, namespaces, filter }: Wish): string[] {
  return ["events", "subscribe", ...namespaces.map((one) => `-namespaces=${one}`), ...(filter ? [`-filter=${filter}`] : []), kinds];
}

const requestOf = ({ kinds, namespaces, filter }: Wish) => ({ path: `sys/events/subscribe/${kinds}`, query: { namespaces: namespaces.join(",") || undefined, filter: filter || undefined } });
