import type { JSX } from "preact";
import type { Granted } from "../../forms/granted";
import type { PathInfo } from "../../forms/description";
import { Words } from "../../forms/Words";
import { href } from "../../shell/router";
import { Table } from "../../ui";
import { Methods } from "./Methods";
import { Template } from "./Template";

interface Props {
  label: string;
  paths: PathInfo[];
  /** What is shown of each path. */
  text: (path: PathInfo) => string;
  place: (path: PathInfo) => string;
  granted: Granted;
}

/** Paths, each with what it is for and how it can be asked by this token. */
export function Paths({ label, paths, text, place, granted }: Props): JSX.Element {
  return (
    <div class="paths">
      <Table
        label={label}
        rows={paths}
        rowKey={({ path }) => path}
        columns={[
          { head: "Path", cell: (one) => <a href={href(place(one))}><Template text={text(one)} /></a> },
          { head: "What it does", cell: (one) => <span class="muted break"><Words text={wordsFor(one)} /></span> },
          { head: "Methods", right: true, cell: (one) => <Methods methods={methodsOf(one, granted)} /> },
        ]}
      />
    </div>
  );
}

/** The methods that the token may use; all where it may use none. */
function methodsOf(path: PathInfo, granted: Granted) {
  const all = path.operations.map(({ method }) => method);
  const may = all.filter((method) => granted(path, method));
  return may.length > 0 ? may : all;
}

/** What a path does: its one method's words say more than its own. */
const wordsFor = ({ about, operations }: PathInfo): string => (operations.length === 1 && operations[0]!.about) || about;
