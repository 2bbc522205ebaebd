const UNITS: [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** Seconds in one unit: `45s`, `12m`, `3h`, `9d`. */
export function shortDuration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

/** Seconds as a watch shows them below an hour (`1:05`), in one unit above. */
export function exactly(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  return seconds < 3_600 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : shortDuration(seconds);
}

/** Seconds in the two largest units that are not empty: `1h 30m`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "for ever";
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many > 0) parts.push(`${many}${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

/** A time of the API in the reader's own zone. */
export function when(time: string | number | null | undefined): string {
  if (!time) return "never";
  const date = new Date(time);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1971) return "never";
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
