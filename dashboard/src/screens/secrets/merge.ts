import { isSame, type Fields } from "../../api/json";

/** A key that two people have changed, each in another way. `undefined` is a key that somebody took away. */
export interface Clash {
  key: string;
  mine: unknown;
  theirs: unknown;
}

/** What one and the other changed since the common beginning, put together; clashes have to be decided by a person. */
export function merge(base: Fields, mine: Fields, theirs: Fields): { merged: Fields; clashes: Clash[]; taken: string[] } {
  const merged: Fields = {};
  const clashes: Clash[] = [];
  const taken: string[] = [];
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine), ...Object.keys(base)])) {
    const [was, my, their] = [own(base, key), own(mine, key), own(theirs, key)];
    const iChanged = !isSame(was, my);
    const theyChanged = !isSame(was, their);
    if (iChanged && theyChanged && !isSame(my, their)) clashes.push({ key, mine: my, theirs: their });
    else if (theyChanged && !iChanged) taken.push(key);
    const value = iChanged ? my : their;
    if (value !== undefined) Object.defineProperty(merged, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return { merged, clashes, taken };
}

/** A value under a key of the object itself; `constructor` and its like are keys as all others. */
export const own = (fields: Fields, key: string): unknown => (Object.prototype.hasOwnProperty.call(fields, key) ? fields[key] : undefined);
