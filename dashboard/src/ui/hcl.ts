/** What a piece of text is. */
export type Kind = "comment" | "string" | "template" | "word" | "number" | "";
/** A piece of a line. */
export interface Piece {
  kind: Kind;
  text: string;
}

/** Longer texts are shown without colours: they would be painted anew with each key. */
const COLOURED_MAX = 60_000;
const PIECES = /(#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:[^"\\\n]|\\.)*"?)|([A-Za-z_][\w-]*)|(\d+(?:\.\d+)?)|([\s\S])/g;

/** The lines of a text in HCL, each as pieces with a kind. It colours and judges nothing: what is right is for the server to say. */
export function paint(text: string): Piece[][] {
  if (text.length > COLOURED_MAX) return text.split("\n").map((line) => [{ kind: "", text: line }]);
  const lines: Piece[][] = [[]];
  const add = (kind: Kind, text: string) => {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      const line = lines[lines.length - 1]!;
      const last = line[line.length - 1];
      if (last?.kind === kind) last.text += part;
      else if (part) line.push({ kind, text: part });
    }
  };
  for (const [, comment, string, word, number, other] of text.matchAll(PIECES)) {
    if (comment !== undefined) add("comment", comment);
    else if (string !== undefined) templates(string, add);
    else if (word !== undefined) add("word", word);
    else if (number !== undefined) add("number", number);
    else add("", other ?? "");
  }
  return lines;
}

function templates(string: string, add: (kind: Kind, text: string) => void): void {
  for (const part of string.split(/(\{\{.*?\}\})/)) if (part) add(part.startsWith("{{") ? "template" : "string", part);
}

/** The line that a refusal of the server names; null if it names none. */
export function lineOf(message: string): number | null {
  const found = /\bline (\d+)/.exec(message);
  return found ? Number(found[1]) : null;
}
