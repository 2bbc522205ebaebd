import type { JSX } from "preact";

/** Words of the server, in which names stand between backticks. */
export function Words({ text }: { text: string }): JSX.Element {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
