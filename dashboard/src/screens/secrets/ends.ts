// A textarea knows one kind of line end. A value that has others must keep them where nobody changed it.

/** A text as a textarea has it: every line ends with a line feed. */
export const inTextarea = (text: string): string => text.replace(/\r\n?/g, "\n");

/** What a textarea has now, with the line ends that the text had before; new lines end as its first one does. */
export function withEndsOf(before: string, now: string): string {
  if (!before.includes("\r")) return now;
  const end = /\r\n?|\n/.exec(before)![0];
  const old = before.match(/\r\n|[^]/g)!;
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && inTextarea(old[head]!) === now[head]) head++;
  let tail = 0;
  while (tail < most - head && inTextarea(old[old.length - 1 - tail]!) === now[now.length - 1 - tail]) tail++;
  const typed = now.slice(head, now.length - tail).replaceAll("\n", end);
  const whole = old.slice(0, head).join("") + typed + old.slice(old.length - tail).join("");
  // Where a lone \r and a \n have come together they would be one line end.
  return inTextarea(whole) === now ? whole : now.replaceAll("\n", end);
}
