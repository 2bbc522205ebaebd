import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { Note } from "./Note";

interface Props {
  title: string;
  /** What will happen, in words. */
  children: ComponentChildren;
  /** What the button says: the verb of what is done. */
  verb: string;
  danger?: boolean;
  /** A word that has to be typed first, for what can not be undone. */
  typed?: string;
  onConfirm: () => Promise<unknown> | void;
  onClose: () => void;
}

/** Asks before something is done. A refusal is shown in the dialog, which then stays open. */
export function Confirm({ title, children, verb, danger, typed, onConfirm, onClose }: Props): JSX.Element {
  const [word, setWord] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ready = !typed || word === typed;
  const confirm = async () => {
    if (!ready || busy) return;
    setError(null);
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <div class="break">{children}</div>
        {typed && <Field label={`Type ${typed} to go on`} value={word} onInput={setWord} mono autoFocus />}
        {error && <Note tone="bad">{error}</Note>}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? "danger primary" : "primary"} disabled={!ready} busy={busy} autoFocus={!typed}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
