import type { JSX } from "preact";

const WIDTH = 120;

/** A small line of the last values. The words beside it say the last one; `label` says what the line is. */
export function Spark({ values, label, height = 36, floor = 0 }: { values: number[]; label: string; height?: number; floor?: number }): JSX.Element {
  const least = Math.min(floor, ...values);
  // A line that never moves stands in the upper middle, not at the edge.
  const most = Math.max(least + 1, Math.max(...values, least) * 1.25);
  const step = WIDTH / Math.max(1, values.length - 1);
  const y = (value: number) => height - 2 - ((value - least) / (most - least)) * (height - 4);
  const points = values.map((value, index) => `${(index * step).toFixed(2)},${y(value).toFixed(2)}`);
  const line = points.length > 1 ? `M${points.join("L")}` : "";
  return (
    <svg class="spark" height={height} viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${values.length ? `last ${rounded(values[values.length - 1]!)}, most ${rounded(Math.max(...values))}` : "no values yet"}`}>
      {line && <path class="area" d={`${line}L${WIDTH},${height}L0,${height}Z`} />}
      {line && <path class="path" d={line} />}
    </svg>
  );
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
