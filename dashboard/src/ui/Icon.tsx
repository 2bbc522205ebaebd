import type { JSX } from "preact";

// Drawn for a field of 16 units with lines of 1.5.
const SHAPES = {
  overview: "M2.5 9.5h3l2-6 2.5 9 1.8-5h1.7",
  secrets: "M4 7V5a4 4 0 0 1 8 0v2M3 7h10v6.5H3zM8 9.5v1.8",
  lease: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2 1.3",
  events: "M2 8h2.5M2 4h2.5M2 12h2.5M7 4h7M7 8h7M7 12h7",
  tools: "M9.5 3.2a3.3 3.3 0 0 0-4 4.3L2.5 10.6l2.9 2.9 3.1-3a3.3 3.3 0 0 0 4.3-4L10.6 8.6 8 8l-.6-2.6z",
  access: "M8 8.2a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4ZM3 13.5c.5-2.6 2.4-4 5-4s4.500 1.400 5 4",
  operations: "M2.500 4.500h11v3h-11zM2.500 9h11v3h-11zM5 6h.01M5 10.500h.01",
  chevron: "m6 3.500 4.500 4.500L6 12.500",
  down: "m3.500 6 4.500 4.500L12.500 6",
  close: "m4 4 8 8M12 4l-8 8",
  menu: "M2.500 4.500h11M2.500 8h11M2.500 11.500h11",
  copy: "M5.500 5.500h7.500v8H5.500zM10.500 5.500v-3H3v8h2.500",
  check: "m3 8.500 3.300 3.300L13 4.500",
  warn: "M8 2.500 14 13H2zM8 6.500v3M8 11.300h.01",
  bad: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM8 5.200v3.300M8 10.700h.01",
  info: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM8 7.500v3.300M8 5.300h.01",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M3.400 12.600l.7-.7M11.900 4.100l.7-.7",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500Z",
  eye: "M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8ZM8 6.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600Z",
  hidden: "M2.500 2.500l11 11M6.300 3.800A6.300 6.300 0 0 1 8 3.500c4 0 6.500 4.500 6.500 4.500a11 11 0 0 1-1.900 2.400M4 5A10.500 10.500 0 0 0 1.500 8S4 12.500 8 12.500c1 0 2-.3 2.800-.7",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9ZM10.300 10.300l3.200 3.200",
  refresh: "M13 8a5 5 0 1 1-1.600-3.700M13 2v3h-3",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.5 9h6l.5-9",
  edit: "m10.500 2.800 2.700 2.700-7.500 7.500H3v-2.700z",
  download: "M8 2.500v7.500M4.800 7 8 10.200 11.200 7M3 13.500h10",
  upload: "M8 10.500V3M4.800 6 8 2.800 11.200 6M3 13.500h10",
  out: "M6 2.500H3v11h3M7 8h6.500M11 5l3 3-3 3",
  folder: "M2 4h4.500l1.500 1.800h6V13H2z",
  file: "M4 2h5.500L12.500 5v9H4zM9 2v3.500h3.500",
  play: "M5 3.500v9l7-4.500z",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  link: "M6.500 9.500l3-3M7 4.500l1.200-1.200a2.600 2.600 0 0 1 3.700 3.700L10.700 8.200M9 11.500l-1.200 1.200a2.600 2.600 0 0 1-3.700-3.700l1.200-1.200",
  space: "M8 2 2.500 5 8 8l5.500-3zM2.500 8 8 11l5.500-3M2.500 11 8 14l5.500-3",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  terminal: "m3 4.500 3.500 3.500L3 11.500M8 12h5",
  clock: "M8 2.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11ZM8 5v3.200l2 1.300",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof SHAPES;

/** A small drawing beside words. It is hidden from screen readers: the words say it. */
export function Icon({ name, size = 16, class: more = "" }: { name: IconName; size?: number; class?: string }): JSX.Element {
  const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linecap": "round", "stroke-linejoin": "round" } as const;
  return (
    <svg class={`icon ${more}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false" {...stroke}>
      <path d={SHAPES[name]} />
    </svg>
  );
}
