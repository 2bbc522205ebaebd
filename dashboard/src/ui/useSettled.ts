import { useEffect, useState } from "preact/hooks";

/** A value as soon as it has stayed the same for a moment, so that what is being typed is not asked about at each key. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
