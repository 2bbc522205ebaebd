import { useEffect, useState } from "preact/hooks";
import { namespace } from "./bearer";
import { capabilities, grants, type Capability } from "./capabilities";
import { returns } from "./server";

/** Says whether the token may do something at a path. */
export type May = (path: string, ...any: Capability[]) => boolean;

/** Asks for several paths at once; undefined until it is known. */
export function useMay(paths: string[]): May | undefined {
  const [known, setKnown] = useState<{ key: string; may: May } | undefined>(undefined);
  const key = JSON.stringify([namespace.value, returns.value, paths]);
  useEffect(() => {
    let live = true;
    void capabilities(paths).then((all) => {
      if (live) setKnown({ key, may: (path, ...any) => any.some((one) => grants(all[path], one)) });
    });
    return () => {
      live = false;
    };
  }, [key]);
  // What was known of other paths says nothing of these.
  return known?.key === key ? known.may : undefined;
}

/** Why a button can not be used: the missing grant in words; false if nothing is missing. */
export const missing = (may: May | undefined, path: string, ...any: Capability[]): string | false =>
  !may ? "Your rights are being looked up" : may(path, ...any) ? false : `Your token lacks ${any.join(" or ")} on ${path}`;
