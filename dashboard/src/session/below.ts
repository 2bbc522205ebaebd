import { useEffect, useState } from "preact/hooks";
import { namespace } from "./bearer";
import { capabilities, grants, type Capability } from "./capabilities";
import { rulesOfToken } from "./rules";

// No rule names it on purpose, so what it is granted comes from rules with `*` and `+`.
const SOME_NAME = "0c5e9f3a-any-name";

/**
 * Whether the token may do one of these at some path that begins with `prefix`; undefined until it is known, and where it can
 * not be known. What will be written has no name yet: its rights are asked for when it has one.
 */
export async function mayBelow(prefix: string, ...any: Capability[]): Promise<boolean | undefined> {
  const probe = prefix + SOME_NAME;
  const has = (all: Capability[]) => any.some((one) => grants(all, one));
  const probed = (await capabilities([probe]))[probe];
  if (!probed) return undefined;
  if (has(probed)) return true;
  const rules = await rulesOfToken();
  if (!rules) return undefined;
  const listed = [...Object.entries(rules.exact_paths ?? {}), ...Object.entries(rules.glob_paths ?? {})];
  return rules.root || listed.some(([path, rule]) => path.startsWith(prefix) && has(rule.capabilities));
}

/** The same for a screen. */
export function useMayBelow(prefix: string, ...any: Capability[]): boolean | undefined {
  const [known, setKnown] = useState<{ key: string; may: boolean | undefined } | undefined>(undefined);
  const key = JSON.stringify([namespace.value, prefix, any]);
  useEffect(() => {
    let live = true;
    void mayBelow(prefix, ...any).then((may) => live && setKnown({ key, may }));
    return () => {
      live = false;
    };
  }, [key]);
  return known?.key === key ? known.may : undefined;
}

/** Why nothing can be made below a path, for a button's `because`; false while something may be. */
export function useDeniedBelow(prefix: string, ...any: Capability[]): string | false {
  return useMayBelow(prefix, ...any) === false ? `No policy of your token grants ${any.join(" or ")} below ${prefix}` : false;
}
