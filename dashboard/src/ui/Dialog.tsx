import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { showOnce } from "../session/once";
import { Button } from "./Button";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  large?: boolean;
  /** A click beside it or Escape does not close it: what is shown in it is shown once. */
  stays?: boolean;
}

/** A dialog over the page. It is open as long as it is rendered; focus returns to where it was. */
export function Dialog({ title, onClose, children, large, stays }: Props): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => (stays ? showOnce() : undefined), [stays]);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      // As long as it is open nothing else can have the focus.
      shown?.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${large ? "large" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!stays) onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && !stays && onClose()}
    >
      <div class="head">
        <h2 id={id}>{title}</h2>
        {!stays && <Button kind="quiet" size="small" icon="close" label="Close" onClick={onClose} />}
      </div>
      <div class="body">{children}</div>
    </dialog>
  );
}
