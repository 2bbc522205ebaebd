import { useEffect, useState } from "preact/hooks";
import { capabilities, namespace, type Capability } from "../../session";
import { grants } from "../../session/capabilities";
import { returns } from "../../session/server";

/** Says whether the token may do something at a path. */
export type May = (path: string, ...any: Capability[]) => boolean;

/** Asks for several paths at once; undefined until it is known. */
export function useMay(paths: string[]): May | undefined {
  const [may, setMay] = useState<May | undefined>(undefined);
  const key = JSON.stringify([namespace.value, returns.value, paths]);
  useEffect(() => {
    let live = true;
    setMay(undefined);
    void capabilities(paths).then((all) => {
      if (live) setMay(() => (path: string, ...any: Capability[]) => any.some((one) => grants(all[path], one)));
    });
    return () => {
      live = false;
    };
  }, [key]);
  return may;
}

/** Why a button can not be used: the missing grant in words; false if nothing is missing. */
export const missing = (may: May | undefined, path: string, ...any: Capability[]): string | false =>
  !may ? "Your rights are being looked up" : may(path, ...any) ? false : `Your token lacks ${any.join(" or ")} on ${path}`;
