import type { JSX } from "preact";
import type { Capability } from "../session";
import { Button } from "./Button";
import { useDenied } from "./useDenied";

/** A button for something at a path of its own: where the token lacks the capability it says so. */
export function AllowedButton({ path, needs, ...rest }: Parameters<typeof Button>[0] & { path: string; needs: Capability }): JSX.Element {
  return <Button {...rest} because={useDenied(path, needs)} />;
}
