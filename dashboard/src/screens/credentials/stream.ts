import { useEffect, useRef, useState } from "preact/hooks";
import { subscribe, type CofferEvent } from "../../api/events";
import { namespace, onForget, useCan } from "../../session";
import { take } from "./cards";

const PLACES_MAX = 50;
const EVENTS_MISSING = "sys/events-gap";
// Up to where the events of a namespace are known, so that those between two visits of a screen are not lost.
const known = new Map<string, string>();
onForget(() => known.clear());

interface Listener {
  onEvent: (event: CofferEvent) => void;
  /** Events may have been missed, or begin only now: what is shown has to be read again. */
  onGap: () => void;
}

/** Follows events of a kind while a screen is shown. Whether they come; where this token gets none, a screen asks by itself. */
export function useEvents(pattern: string, listener: Listener): boolean {
  const [live, setLive] = useState(false);
  const [round, setRound] = useState(0);
  const can = useCan(`sys/events/subscribe/${pattern}`, "read");
  const latest = useRef(listener);
  latest.current = listener;
  const place = `${namespace.value}\n${pattern}`;
  useEffect(() => {
    if (!can) return;
    const since = known.get(place);
    let first = true;
    const stop = subscribe({
      pattern,
      since,
      onEvent: (event) => {
        keep(place, event.id);
        if (event.data.event_type === EVENTS_MISSING) latest.current.onGap();
        else latest.current.onEvent(event);
      },
      onState: (state) => {
        setLive(state.kind === "live");
        if (state.kind === "live" && first) {
          first = false;
          latest.current.onGap();
        }
        // What follows that event is no longer kept: begin anew.
        if (state.kind === "refused" && since && [400, 410].includes(state.error.status)) {
          known.delete(place);
          setRound((last) => last + 1);
        }
      },
    });
    return () => {
      stop();
      setLive(false);
    };
  }, [can, place, round]);
  return live;
}

/** Follows the events of leases, which the cards of this session hear, too. */
export const useLeaseEvents = ({ onEvent, onGap }: Listener): boolean =>
  useEvents("lease/*", {
    onGap,
    onEvent: (event) => {
      take(event);
      onEvent(event);
    },
  });

function keep(place: string, id: string): void {
  if (known.size >= PLACES_MAX && !known.has(place)) known.clear();
  known.set(place, id);
}

/** A text among an event's metadata; "" if it has none of that name. */
export const told = (event: CofferEvent, name: string): string => String(event.data.event.metadata[name] ?? "");
