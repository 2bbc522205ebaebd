import type { JSX } from "preact";
import { useNow } from "./useNow";
import { exactly, shortDuration } from "./duration";

interface Props {
  /** When it ends, in milliseconds since 1970; null if it never does. */
  expires: number | null;
  /** Its whole life in seconds: what a full ring is. */
  ttl: number;
  size?: number;
}

/** Rings of this size have room for minutes and seconds. */
const ROOMY = 64;
const AMBER = 0.3;
const RED = 0.1;

/** The rest of a life as a ring: green, amber below 30 %, red below 10 %, grey when it is over. */
export function Ring({ expires, ttl, size = 44 }: Props): JSX.Element {
  const now = useNow(1_000);
  const left = expires === null ? Infinity : Math.max(0, (expires - now) / 1_000);
  const part = left === Infinity ? 1 : ttl > 0 ? Math.min(1, left / ttl) : 0;
  const tone = left === 0 ? "over" : part < RED ? "bad" : part < AMBER ? "warn" : "";
  const radius = (size - 5) / 2;
  const round = 2 * Math.PI * radius;
  // A second that has begun counts, as it does in words beside a ring.
  const seconds = Math.ceil(left);
  const words = left === Infinity ? "∞" : size >= ROOMY ? exactly(seconds) : shortDuration(seconds);
  return (
    <span class={`ring ${tone}`} role="img" aria-label={left === Infinity ? "never ends" : left === 0 ? "has ended" : `${shortDuration(seconds)} left`}>
      <svg width={size} height={size} viewBox={`0 0 ${size} ${size}`} fill="none" stroke-width="3.5" stroke-linecap="round" aria-hidden="true">
        <circle class="track" cx={size / 2} cy={size / 2} r={radius} />
        {part > 0 && (
          <circle class="left" cx={size / 2} cy={size / 2} r={radius} transform={`rotate(-90 ${size / 2} ${size / 2})`} stroke-dasharray={round} stroke-dashoffset={round * (1 - part)} />
        )}
      </svg>
      <span class="words" aria-hidden="true">
        {words}
      </span>
    </span>
  );
}
