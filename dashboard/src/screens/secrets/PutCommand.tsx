import type { JSX } from "preact";
import { Command, operands } from "../../ui";
import { dataPath, type Mount } from "./kv";

/** How the command line writes these keys; the values are left out. */
export function PutCommand({ at, name, keys, cas }: { at: Mount; name: string; keys: string[]; cas?: number }): JSX.Element {
  const pairs = (keys.length > 0 ? keys : ["key"]).map((key) => `${key}=…`);
  const values = Object.fromEntries((keys.length > 0 ? keys : ["key"]).map((key) => [key, "…"]));
  const checks = at.kind === "kv2" && cas !== undefined;
  const words = at.kind === "cubbyhole" ? ["write", ...operands(`${at.path}/${name}`, ...pairs)] : ["kv", "put", `-mount=${at.path}`, ...(checks ? [`-cas=${cas}`] : []), ...operands(name, ...pairs)];
  const body = at.kind === "kv2" ? { ...(checks ? { options: { cas } } : {}), data: values } : values;
  return <Command cli={words} request={{ method: "POST", path: dataPath(at, name), body }} />;
}
