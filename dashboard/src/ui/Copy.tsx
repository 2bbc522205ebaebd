import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./Button";
import { toast } from "./Toast";

/** Copies a text. It may be one that is not shown, and one that is only read when it is wanted. */
export function Copy({ text, label = "Copy", words }: { text: string | (() => string | Promise<string>); label?: string; words?: string }): JSX.Element {
  const [done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    if (await toClipboard(typeof text === "string" ? text : await text())) {
      setDone(true);
      timer.current = window.setTimeout(() => setDone(false), 1_500);
    } else {
      toast("The browser does not let this page copy; select the text and copy it yourself", "warn");
    }
  };
  return (
    <Button kind={words ? "" : "quiet"} size="small" icon={done ? "check" : "copy"} label={done ? "Copied" : label} onClick={copy}>
      {words && (done ? "Copied" : words)}
    </Button>
  );
}

/** Browsers give pages without TLS (except of this machine) no clipboard; the old way serves there. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // The other way may still be open.
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
