const UNITS: [string, number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
];

/** Seconds as one number with a unit that says exactly the same, as the API takes it: `90s`, `45m`, `32d`. */
export function exact(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds > 0 && seconds % size === 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}
