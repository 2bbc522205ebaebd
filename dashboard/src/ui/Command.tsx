import type { JSX } from "preact";
import { namespace } from "../session/bearer";
import { print } from "../api/json";
import { encoded, hasDots, type Query } from "../api/path";
import { Code } from "./Code";
import { Icon } from "./Icon";

interface Props {
  /** The words after `coffer`, each one argument; none if there is no such command. Names of people's choice are put through `operands`. */
  cli?: string[];
  /** The request; its command for curl is made from it. */
  request: Asked;
  open?: boolean;
}

interface Asked {
  method: "GET" | "LIST" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Where: names as they are, a `?` in one of them as well. */
  path: string;
  query?: Query;
  body?: unknown;
  /** A file that is sent. */
  file?: string;
  /** The file that the answer goes to. */
  into?: string;
  headers?: Record<string, string>;
  /** The answer comes piece by piece, and is shown as it comes. */
  stream?: boolean;
}

/** The same by the command line and by curl. Secret values do not belong in here: give `…` in their place. */
export function Command({ cli, request, open }: Props): JSX.Element {
  return (
    <details class="command" open={open}>
      <summary>
        <Icon name="chevron" class="chevron" size={12} />
        <Icon name="terminal" />
        Command line
      </summary>
      <div class="stack tight">
        {cli && <Code text={cofferOf(cli)} label="Copy the command" />}
        <Code text={curlOf(request)} label="Copy the command for curl" />
      </div>
    </details>
  );
}

/** The command for coffer. */
export function cofferOf(words: string[]): string {
  const space = namespace.value ? [`COFFER_NAMESPACE=${quoted(namespace.value)}`] : [];
  return [...space, "coffer", ...words.map(quoted)].join(" ");
}

/** The command for curl. */
export function curlOf({ method, path, query, body, file, into, headers = {}, stream }: Asked): string {
  const flags = `${stream ? "-N " : ""}${hasDots(path) ? "--path-as-is " : ""}`;
  const lines = [`curl ${flags}-H "X-Vault-Token: $COFFER_TOKEN"`];
  if (namespace.value) lines.push(`-H ${quoted(`X-Vault-Namespace: ${namespace.value}`)}`);
  if (method === "PATCH") lines.push("-H 'Content-Type: application/merge-patch+json'");
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  const isSent = body !== undefined || file !== undefined;
  if (method !== "GET" && !(method === "POST" && isSent)) lines.push(`-X ${method}`);
  if (body !== undefined) lines.push(`-d ${quoted(print(body, false))}`);
  if (file !== undefined) lines.push(`--data-binary ${quoted(`@${file}`)}`);
  if (into !== undefined) lines.push(`-o ${quoted(into)}`);
  lines.push(`"$COFFER_ADDR"${quoted(encoded(path, query))}`);
  return lines.join(" \\\n  ");
}

/** Names and values of people's choice as words of a command: none of them is taken for a flag, whatever it begins with. */
export const operands = (...words: string[]): string[] => (words.some((word) => word.startsWith("-")) ? ["--", ...words] : words);

/** A word for the shell: as it is where nothing in it means something, else between quotes. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
