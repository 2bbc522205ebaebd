import "../keys/keys.css";
import type { JSX } from "preact";
import { Chooser } from "../keys/Chooser";

/** Where transit engines are. */
export default function Engines(): JSX.Element {
  return <Chooser type="transit" title="Transit" lead="Keys that encrypt, sign and hash what they are sent, and never leave the server. Choose an engine." />;
}
