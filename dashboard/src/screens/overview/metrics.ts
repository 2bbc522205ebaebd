import { readBlob, type Options } from "../../api/client";

/** One line of Prometheus' text. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** What a scrape said, by name. */
export type Scrape = Map<string, Sample[]>;

/** Asks the server what it has counted. It is one page of text however much it keeps. */
export async function scrape(options?: Options): Promise<Scrape> {
  const blob = await readBlob("sys/metrics", { ...options, namespace: "", query: { format: "prometheus" } });
  return parse(await blob.text());
}

/** The sum over all labels; 0 where nothing was counted. */
export const total = (found: Scrape, name: string): number => (found.get(name) ?? []).reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);

/** Reads Prometheus' text format. */
export function parse(text: string): Scrape {
  const found: Scrape = new Map();
  for (const line of text.split("\n")) {
    const parts = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!parts || line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = parts;
    const samples = found.get(name) ?? [];
    samples.push({ labels: labelsOf(labels), value: Number(value) });
    found.set(name, samples);
  }
  return found;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, sign: string) => (sign === "n" ? "\n" : sign));
  }
  return labels;
}
