import { useEffect, useState } from "preact/hooks";
import { capabilities, namespace, type Capability } from "../session";
import { grants } from "../session/capabilities";
import type { Method } from "./description";

/** What a policy has to grant for a method; any one of them is enough. */
export const NEEDS: Record<Method, Capability[]> = { GET: ["read"], LIST: ["list"], POST: ["update", "create"], PATCH: ["patch"], DELETE: ["delete"] };

/** So long nobody has typed before the server is asked. */
const REST_MS = 250;

/** Why the token may not do that at a path; false while it may, or while it is not known. Null asks nothing. */
export function useRefused(path: string | null, method: Method): string | false {
  const [refused, setRefused] = useState<string | false>(false);
  const space = namespace.value;
  useEffect(() => {
    setRefused(false);
    if (path === null) return;
    let live = true;
    // Rules for lists may have a slash at their end.
    const asked = method === "LIST" ? [path, `${path.replace(/\/$/, "")}/`] : [path];
    const ask = () =>
      void capabilities(asked).then((all) => {
        const may = asked.some((one) => NEEDS[method].some((need) => grants(all[one], need)));
        const known = asked.some((one) => (all[one] ?? []).length > 0);
        if (live) setRefused(may || !known ? false : `No policy of your token grants ${NEEDS[method][0]} on ${path}`);
      });
    const timer = setTimeout(ask, REST_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [path, method, space]);
  return refused;
}
