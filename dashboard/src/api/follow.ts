import { refusal, send, type Options } from "./client";
import { lines } from "./sse";
import { keepOpen, type StreamState } from "./stream";

/** Follows the lines that a path of the root namespace sends without an end, until the returned function is called. What is sent while the stream is cut does not come later. */
export function followLines(path: string, query: Options["query"], onLine: (line: string) => void, onState: (state: StreamState) => void): () => void {
  const ending = new AbortController();
  const reading = async (signal: AbortSignal, live: () => void) => {
    const response = await send("GET", path, undefined, { namespace: "", query, signal });
    if (!response.ok) throw await refusal(response, path);
    live();
    for await (const line of lines(response)) {
      if (signal.aborted) break;
      if (line) onLine(line);
    }
    return "the server ended the stream";
  };
  void keepOpen(reading, ending.signal, onState);
  return () => ending.abort();
}
