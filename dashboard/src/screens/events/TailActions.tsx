import type { JSX } from "preact";
import { Button } from "../../ui";
import type { Tail } from "./tail";

/** Lets a list stand still, and empties it. */
export function TailActions<T>({ tail }: { tail: Tail<T> }): JSX.Element {
  const paused = tail.paused.value;
  return (
    <>
      <Button onClick={() => tail.clear()}>Clear</Button>
      <Button icon={paused ? "play" : "pause"} onClick={() => tail.pause(!paused)}>
        {paused ? "Resume" : "Pause"}
      </Button>
    </>
  );
}
