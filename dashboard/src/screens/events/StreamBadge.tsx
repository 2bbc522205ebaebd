import type { JSX } from "preact";
import type { StreamState } from "../../api/stream";
import { Badge, sentence, useNow } from "../../ui";

/** How a stream is, in words. */
export function StreamBadge({ state, paused, came }: { state: StreamState | null; paused: boolean; came: number }): JSX.Element {
  return (
    <span class="row">
      <span role="status" aria-live="polite">
        <State state={state} />
      </span>
      {paused && (
        <Badge tone="accent">
          Paused{came > 0 && <span class="num">: {came.toLocaleString()} came since</span>}
        </Badge>
      )}
      {state?.kind === "waiting" && <Why state={state} />}
    </span>
  );
}

function State({ state }: { state: StreamState | null }): JSX.Element {
  switch (state?.kind) {
    case "live":
      return (
        <Badge tone="good" dot>
          Live
        </Badge>
      );
    case "waiting":
      return (
        <Badge tone="warn" dot>
          Reconnecting
        </Badge>
      );
    case "refused":
      return (
        <Badge tone="bad" dot>
          Not followed
        </Badge>
      );
    default:
      return <Badge dot>Connecting</Badge>;
  }
}

/** It counts down; screen readers are told the state alone, not each second. */
function Why({ state }: { state: { retryAt: number; why: string } }): JSX.Element {
  const seconds = Math.max(0, Math.ceil((state.retryAt - useNow(250)) / 1_000));
  return (
    <span class="small muted break">
      <span class="num" aria-hidden="true">
        in {seconds} s
      </span>
      {` · ${sentence(state.why)}`}
    </span>
  );
}
