/** Bytes as somebody typed them: as text, or as base64 of whatever they are. */
export interface Typed {
  text: string;
  form: "text" | "base64";
}

/** Nothing typed yet. */
export const NOTHING: Typed = { text: "", form: "text" };

/** Most bytes that are tried out here; files of any size are for the command line. */
const BYTES_MAX = 512 * 1_024;

/** The base64 of what was typed, as the API takes it; `wrong` says in words why there is none. */
export function base64Of({ text, form }: Typed): { base64: string; wrong: string | null } {
  if (form === "base64") {
    const bare = text.replace(/\s+/g, "");
    try {
      atob(bare);
    } catch {
      return { base64: "", wrong: "It is no base64 yet." };
    }
    return bare.length > (BYTES_MAX * 4) / 3 ? { base64: "", wrong: TOO_LONG } : { base64: bare, wrong: null };
  }
  const bytes = new TextEncoder().encode(text);
  return bytes.length > BYTES_MAX ? { base64: "", wrong: TOO_LONG } : { base64: encoded(bytes), wrong: null };
}

/** Bytes that came as base64, as text; null if they are none. */
export function textOf(base64: string): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)));
    // Control characters would be drawn as nothing.
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

const TOO_LONG = "That is more than 512 kB. The command line takes files of any size.";

function encoded(bytes: Uint8Array): string {
  let binary = "";
  // Parts, for a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
}
