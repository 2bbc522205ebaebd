import { ApiError } from "./error";

/** A message of a stream of Server-Sent Events. */
export interface Message {
  id: string;
  event: string;
  data: string;
}

/** A stream says something at least every 15 seconds; one that has said nothing for so long is dead, whatever the browser thinks. */
const SILENCE_MAX_MS = 45_000;
/** Longer than anything that the server sends. */
const LINE_CHARS_MAX = 8 * 1024 * 1024;

/** The messages of a stream, as the HTML standard frames them. */
export async function* messages(response: Response): AsyncGenerator<Message> {
  let message: Message = { id: "", event: "", data: "" };
  for await (const line of lines(response, SILENCE_MAX_MS)) {
    if (line === "") {
      if (message.data || message.event || message.id) yield { ...message, data: message.data.replace(/\n$/, "") };
      message = { id: "", event: "", data: "" };
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") message.data += `${text}\n`;
    else if (name === "id") message.id = text;
    else if (name === "event") message.event = text;
  }
}

/** The lines of an answer as they come. With `silenceMs` an answer that says nothing for so long counts as ended. */
export async function* lines(response: Response, silenceMs = 0): AsyncGenerator<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let timer = 0;
  try {
    for (;;) {
      const silent = new Promise<never>((_, reject) => {
        if (silenceMs) timer = window.setTimeout(() => reject(new ApiError(0, ["nothing was heard of the server for too long"])), silenceMs);
      });
      const { value, done } = await Promise.race([reader.read(), silent]);
      clearTimeout(timer);
      if (done) {
        if (rest) yield rest;
        return;
      }
      if (rest.length + value.length > LINE_CHARS_MAX) throw new ApiError(0, ["the server sent a line without end"]);
      const found = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = found.pop() ?? "";
      yield* found;
    }
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {});
  }
}
