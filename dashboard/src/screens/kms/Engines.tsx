import "../keys/keys.css";
import type { JSX } from "preact";
import { Chooser } from "../keys/Chooser";

/** Where engines with master keys are. */
export default function Engines(): JSX.Element {
  return <Chooser type="kms" title="Master keys" lead="Keys that encrypt the keys of data, and never leave the server. Choose an engine." />;
}
