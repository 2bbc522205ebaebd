import type { JSX } from "preact";
import { Button, Empty, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { cards, dismissEnded, isOpen, lookAtAll } from "./cards";
import { Frame } from "./Frame";
import { Issue } from "./Issue";
import { LeaseCard } from "./LeaseCard";
import { useLeaseEvents } from "./stream";

const LOOK_EVERY_MS = 4_000;
const LOOK_BESIDE_EVENTS_MS = 30_000;
const nothing = (): void => {};

/** Issues credentials of database roles, and shows them alive. */
export default function Credentials({ query }: ScreenProps): JSX.Element {
  const live = useLeaseEvents({ onEvent: nothing, onGap: () => void lookAtAll() });
  useLoad(lookAtAll, [], live ? LOOK_BESIDE_EVENTS_MS : LOOK_EVERY_MS);
  return (
    <Frame tab="issue" engine={query.get("engine")} below={cards.value.length > 0 && <Cards />}>
      {(engine, picker) => (
        <>
          <Issue key={`${engine} ${query.get("role")}`} engine={engine} picker={picker} role={query.get("role") ?? ""} />
          {cards.value.length === 0 && <None />}
        </>
      )}
    </Frame>
  );
}

function None(): JSX.Element {
  return <Empty icon="lease" title="You have issued nothing yet" text="A credential that you issue here appears as a card. You see its time run out, whether the database lets it in, and its end. Cards are in the memory of this page, and forgotten when you sign out." />;
}

function Cards(): JSX.Element {
  const all = cards.value;
  const open = all.filter(({ state }) => isOpen(state)).length;
  return (
    <section class="stack" aria-label="Credentials of this session">
      <div class="row apart cred-bar">
        <h2>Issued on this page</h2>
        <span class="row">
          <span class="muted small" role="status">
            {open} alive, {all.length - open} ended
          </span>
          {open < all.length && (
            <Button size="small" onClick={dismissEnded}>
              Put away what has ended
            </Button>
          )}
        </span>
      </div>
      <div class="cred-cards">
        {all.map((card) => (
          <LeaseCard key={card.id} card={card} />
        ))}
      </div>
    </section>
  );
}
