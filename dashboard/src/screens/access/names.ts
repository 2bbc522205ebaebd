/** Names that were typed with commas or spaces between them. */
export const splitNames = (text: string): string[] => [...new Set(text.split(/[,\s]+/).filter(Boolean))];

/** `name=value` lines as an object. A line without `=` is a name with nothing. */
export function pairsOf(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    const name = (at < 0 ? line : line.slice(0, at)).trim();
    if (name) pairs[name] = at < 0 ? "" : line.slice(at + 1).trim();
  }
  return pairs;
}

/** An object as `name=value` lines. */
export const linesOf = (pairs: Record<string, string> | null | undefined): string =>
  Object.entries(pairs ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
