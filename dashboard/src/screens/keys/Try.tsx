import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Button, Card, Command, Note, sentence } from "../../ui";

interface Props<T> {
  title: string;
  /** What the button says. */
  verb: string;
  /** Everything that the outcome depends on: when something of it changes, the outcome is taken away. */
  inputs: unknown;
  /** Why it can not be tried now. */
  because?: string | false | null;
  run: () => Promise<T>;
  outcome: (value: T) => ComponentChildren;
  command: Parameters<typeof Command>[0];
  /** The fields. */
  children?: ComponentChildren;
}

/** Something to try out: fields, a button, what came of it, and the command that does the same. */
export function Try<T>({ title, verb, inputs, because, run, outcome, command, children }: Props<T>): JSX.Element {
  const key = JSON.stringify(inputs);
  const [state, setState] = useState<{ key: string; value?: T; error?: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const latest = useRef(0);
  const go = async () => {
    if (busy || because) return;
    const round = ++latest.current;
    setBusy(true);
    try {
      const value = await run();
      if (latest.current === round) setState({ key, value });
    } catch (error) {
      if (latest.current === round) setState({ key, error: sentence(error instanceof Error ? error.message : String(error)) });
    } finally {
      setBusy(false);
    }
  };
  const shown = state?.key === key ? state : null;
  return (
    <Card title={title}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        {children}
        <div>
          <Button type="submit" kind="primary" because={because || false} busy={busy}>
            {verb}
          </Button>
        </div>
        <div role="status" class="stack">
          {shown?.error && <Note tone="bad">{shown.error}</Note>}
          {shown && !shown.error && outcome(shown.value as T)}
        </div>
        <Command {...command} />
      </form>
    </Card>
  );
}
