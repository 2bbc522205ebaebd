import { framed, refusal, send, type Answer } from "../api/client";
import { parse, print } from "../api/json";
import type { Method } from "./description";

/** What came of a request. */
export interface Outcome {
  status: number;
  /** The answer, where it is in the API's usual form. */
  answer: Answer<unknown> | null;
  /** Any other text: certificates, metrics, lines of a log. */
  text: string;
  /** Anything else, to be kept as a file. */
  file: Blob | null;
  /** There was more than is shown. */
  isCut: boolean;
}

/** How to ask. */
export interface Request {
  method: Method;
  path: string;
  query?: Record<string, string>;
  /** Nothing is sent if there is none. */
  body?: Record<string, unknown>;
  /** Wrap the answer for so long. */
  wrapTtl?: string;
}

const TEXT_BYTES_MAX = 2 * 1024 * 1024;

/** Sends a request. Ended by `signal`, it gives what came until then. */
export async function run({ method, path, query = {}, body, wrapTtl }: Request, signal: AbortSignal): Promise<Outcome> {
  const headers: Record<string, string> = body === undefined ? {} : { "Content-Type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
  const options = { query: method === "LIST" ? { ...query, list: "true" } : query, headers, wrapTtl, signal };
  const response = await send(method === "LIST" ? "GET" : method, path, body === undefined ? undefined : print(body, false), options);
  if (!response.ok) throw await refusal(response, path);
  const type = response.headers.get("Content-Type") ?? "";
  const none = { status: response.status, answer: null, text: "", file: null, isCut: false };
  if (!type.includes("json") && !/^text\/|pem|^$/.test(type)) return { ...none, file: await response.blob() };
  const { text, isCut } = await textOf(response, type.includes("json") ? Infinity : TEXT_BYTES_MAX);
  if (!type.includes("json") || isCut) return { ...none, text, isCut };
  return jsonOf(text, none);
}

function jsonOf(text: string, none: Outcome): Outcome {
  if (!text) return none;
  try {
    const raw = parse(text);
    if (typeof raw === "object" && raw !== null && !Array.isArray(raw)) return { ...none, answer: framed(raw as Record<string, unknown>, none.status) };
  } catch {
    // Lines of JSON are a text.
  }
  return { ...none, text };
}

/** The text of an answer as far as it came; some never end. */
async function textOf(response: Response, most: number): Promise<{ text: string; isCut: boolean }> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  if (!reader) return { text, isCut: false };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { text: text + decoder.decode(), isCut: false };
      text += decoder.decode(value, { stream: true });
      bytes += value.byteLength;
      if (bytes > most) break;
    }
    await reader.cancel();
  } catch {
    // Somebody had enough of it.
  }
  return { text, isCut: true };
}
