import type { JSX } from "preact";
import { namespace } from "../session/bearer";
import { urlOf } from "../api/path";
import { Code } from "./Code";
import { Icon } from "./Icon";

interface Props {
  /** The words after `coffer`, each one argument; none if there is no such command. */
  cli?: string[];
  /** The request; its command for curl is made from it. What comes piece by piece (`stream`) is shown as it comes. */
  request: { method: "GET" | "LIST" | "POST" | "PUT" | "PATCH" | "DELETE"; path: string; body?: unknown; headers?: Record<string, string>; stream?: boolean };
  open?: boolean;
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

function cofferOf(words: string[]): string {
  const space = namespace.value ? [`COFFER_NAMESPACE=${quoted(namespace.value)}`] : [];
  return [...space, "coffer", ...words.map(quoted)].join(" ");
}

function curlOf({ method, path, body, headers = {}, stream }: Props["request"]): string {
  const lines = [`curl ${stream ? "-N " : ""}-H "X-Vault-Token: $COFFER_TOKEN"`];
  if (namespace.value) lines.push(`-H ${quoted(`X-Vault-Namespace: ${namespace.value}`)}`);
  if (method === "PATCH") lines.push("-H 'Content-Type: application/merge-patch+json'");
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (method !== "GET" && !(method === "POST" && body !== undefined)) lines.push(`-X ${method}`);
  if (body !== undefined) lines.push(`-d ${quoted(JSON.stringify(body))}`);
  lines.push(`"$COFFER_ADDR"${quoted(safeUrl(path))}`);
  return lines.join(" \\\n  ");
}

function safeUrl(path: string): string {
  try {
    const [before = "", query] = path.split("?");
    return urlOf(before) + (query ? `?${query}` : "");
  } catch {
    return `/v1/${path}`;
  }
}

/** A word for the shell: as it is where nothing in it means something, else between quotes. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
