import { batch, signal } from "@preact/signals";
import type { StreamState } from "../../api/stream";
import { onForget } from "../../session/forget";

/** How many rows are kept. The log of the server keeps more; a page that is open for days must not grow. */
export const KEPT_MAX = 2_000;
/** Drawing each frame of a storm would be for nobody: what comes soon after is drawn with it. */
const DRAWN_EVERY_MS = 50;
/** A hidden page draws no frames; what came meanwhile is sorted in this often. */
const HIDDEN_MS = 1_000;

/** A place in a list where something may be missing. */
export interface Gap {
  key: string;
  gap: string;
  arrived: number;
}

let gaps = 0;

/** A gap, as of now. */
export const gapOf = (gap: string, key = `gap ${++gaps}`): Gap => ({ key, gap, arrived: Date.now() });
/** Whether a row is one. */
export const isGap = (row: object): row is Gap => "gap" in row;

/** What a tail gives to whoever fills it. */
export interface Sink<T> {
  add: (row: T) => void;
  state: (state: StreamState) => void;
}

/**
 * The newest rows of a stream, in the order in which they came. It outlives its screen, so that nothing is lost while the server
 * is sealed or another screen is looked at; signing out empties it.
 */
export class Tail<T> {
  /** What is shown, the newest first. It changes once a frame at most, and in storms less often. */
  readonly rows = signal<readonly T[]>([]);
  /** How the stream is; null while nobody looks. */
  readonly state = signal<StreamState | null>(null);
  readonly paused = signal(false);
  /** How many came since the pause began. */
  readonly came = signal(0);
  /** How many are no longer kept. */
  readonly dropped = signal(0);

  private all: T[] = [];
  private arrived: T[] = [];
  private arrivedMore = 0;
  private cancel: (() => void) | null = null;
  private stop: (() => void) | null = null;
  private held = false;
  private drawn = 0;

  constructor() {
    onForget(() => this.forget());
  }

  /** Begins to be filled; what is there stays. */
  begin(fill: (sink: Sink<T>) => () => void): void {
    this.end();
    this.state.value = { kind: "connecting" };
    this.stop = fill({ add: (row) => this.add(row), state: (state) => (this.state.value = state) });
  }

  /** Is no longer filled; what is there stays. */
  end(): void {
    this.stop?.();
    this.stop = null;
    this.state.value = null;
    this.sort();
  }

  /** Empties it; it goes on being filled. */
  clear(): void {
    this.cancel?.();
    this.cancel = null;
    this.all = [];
    this.arrived = [];
    this.arrivedMore = 0;
    batch(() => {
      this.rows.value = [];
      this.came.value = 0;
      this.dropped.value = 0;
    });
  }

  /** Adds a row of the page's own. */
  add(row: T): void {
    this.arrived.push(row);
    if (this.arrived.length > 2 * KEPT_MAX) {
      this.arrivedMore += KEPT_MAX;
      this.arrived.splice(0, KEPT_MAX);
    }
    this.cancel ??= this.soon(() => this.sort());
  }

  /** What is shown stands still; what comes is counted and kept as far as there is room. */
  pause(on: boolean): void {
    this.sort();
    batch(() => {
      this.paused.value = on;
      this.came.value = 0;
      if (!on) this.show();
    });
  }

  /** Stands still for a moment, so that what is pressed is what was under the pointer. */
  hold(on: boolean): void {
    if (this.held === on) return;
    this.held = on;
    if (!on && !this.paused.value) this.show();
  }

  /** Puts what has arrived to the rest, once for all of it. */
  private sort(): void {
    this.cancel?.();
    this.cancel = null;
    const arrived = this.arrived;
    const many = arrived.length + this.arrivedMore;
    if (many === 0) return;
    this.arrived = [];
    const over = Math.max(0, this.all.length + arrived.length - KEPT_MAX);
    this.all = [...this.all, ...arrived].slice(over);
    batch(() => {
      this.dropped.value += over + this.arrivedMore;
      if (this.paused.value) this.came.value += many;
      else if (!this.held) this.show();
    });
    this.arrivedMore = 0;
  }

  private soon(then: () => void): () => void {
    if (document.hidden) return later(then, HIDDEN_MS);
    const wait = this.drawn + DRAWN_EVERY_MS - performance.now();
    return wait > 0 ? later(then, wait) : inFrame(then);
  }

  private show(): void {
    this.drawn = performance.now();
    this.rows.value = [...this.all].reverse();
  }

  private forget(): void {
    this.end();
    this.clear();
    this.paused.value = false;
    this.held = false;
  }
}

function inFrame(then: () => void): () => void {
  const frame = requestAnimationFrame(then);
  return () => cancelAnimationFrame(frame);
}

function later(then: () => void, ms: number): () => void {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}
