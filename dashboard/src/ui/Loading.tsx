import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Stands where something will be. Nothing is drawn for what comes at once. */
export function Loading({ lines = 4 }: { lines?: number }): JSX.Element {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading</span>
      {late && Array.from({ length: lines }, (_, index) => <span key={index} aria-hidden="true" />)}
    </div>
  );
}
