import { content, type Content, type Mount } from "./kv";

/** A version to look at, and the latest one. What is written replaces the latest one, so its number and its values come out of one answer. */
export interface WithLatest {
  content: Content;
  latest: Content;
}

/** Reads a version, or the latest one, which then is both. */
export async function withLatest(at: Mount, name: string, wanted?: number, signal?: AbortSignal): Promise<WithLatest> {
  const [one, latest] = await Promise.all([content(at, name, wanted, signal), wanted ? content(at, name, undefined, signal) : undefined]);
  return { content: one, latest: latest ?? one };
}
