import type { JSX } from "preact";
import type { ApiError } from "../../api/client";
import { session } from "../../session";
import { Button, Code, Empty, sentence } from "../../ui";
import type { Begin, Wish } from "./store";

/** Why events are not followed, and what helps. */
export function Refused({ error, wish, again }: { error: ApiError; wish: Wish; again: (begin: Begin) => void }): JSX.Element {
  const isLost = error.status === 410 || (error.status === 400 && error.message.includes("`since`"));
  if (isLost) return <Lost error={error} again={again} />;
  return (
    <div role="alert">
      <Empty icon="warn" title={error.isDenied ? "Your token may not follow these events" : "These events can not be followed"} text={error.isDenied ? `Its policies are: ${session.value?.policies.join(", ") || "none"}. One with these lines lets it:` : sentence(error.message)}>
        {!error.isDenied && (
          <Button icon="refresh" onClick={() => again("on")}>
            Try again
          </Button>
        )}
      </Empty>
      {error.isDenied && (
        <div class="grant">
          <Grant kinds={wish.kinds} />
          <div class="row">
            <Button icon="refresh" onClick={() => again("on")}>
              Try again
            </Button>
          </div>
        </div>
      )}
    </div>
  );
}

/** The lines of a policy that let somebody follow events. */
export function Grant({ kinds }: { kinds: string }): JSX.Element {
  const text = `path "sys/events/subscribe/${kinds}" { capabilities = ["read"] }\npath "secret/data/app/*" {\n  capabilities          = ["read", "subscribe"]\n  subscribe_event_types = ["*"]\n}`;
  return (
    <div class="stack tight">
      <Code text={text} label="Copy these lines" />
      <p class="small muted">The first line opens the stream; the others show the events of a path.</p>
    </div>
  );
}

function Lost({ error, again }: { error: ApiError; again: (begin: Begin) => void }): JSX.Element {
  return (
    <div role="alert">
      <Empty icon="clock" title="The place where this page was is no longer kept" text={`Some events between the last one here and now can not be shown any more. ${sentence(error.message)}.`}>
        <Button kind="primary" onClick={() => again("gap")}>
          Go on from now
        </Button>
        <Button onClick={() => again("oldest")}>Show all that is kept</Button>
      </Empty>
    </div>
  );
}
