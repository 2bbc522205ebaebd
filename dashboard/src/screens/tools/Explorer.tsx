import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { PathInfo } from "../../forms/description";
import { grantedAt } from "../../forms/granted";
import { allPaths } from "../../forms/load";
import { go } from "../../shell/router";
import { Card, Command, Empty, Field, Loading, Page, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { Paths } from "./Paths";
import { explorerPlace } from "./places";
import "./tools.css";

const SHOWN_MAX = 60;

/** Every path of the server that this token can see, found by its words; each opens as a form. */
export default function Explorer({ query }: ScreenProps): JSX.Element {
  const wanted = query.get("q") ?? "";
  const { data, error, reload } = useLoad(() => allPaths(), []);
  const found = useMemo(() => (data ? search(data, wanted) : []), [data, wanted]);
  const shown = found.slice(0, SHOWN_MAX);
  const granted = useLoad(() => grantedAt(shown), [shown.map(({ path }) => path)]);
  return (
    <Page title="API explorer" lead="All paths of this server, as it describes them itself. Each opens as a form.">
      <div class="find">
        <Field label="Find a path" bare type="search" placeholder="Words of the path, method or description" value={wanted} onInput={(text) => go(text ? `/explorer?${new URLSearchParams({ q: text }).toString()}` : "/explorer", { replace: true })} autoFocus />
      </div>
      {error && !data ? <Trouble error={error} what="the description of the API" onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && (
        <>
          <p class="muted small" aria-live="polite">
            {found.length} of {data.length} paths{found.length > SHOWN_MAX && `, the first ${SHOWN_MAX} are shown`}
          </p>
          <Card flush>{shown.length > 0 ? <Paths label="Paths" paths={shown} text={({ path }) => path} place={explorerPlace} granted={granted.data ?? (() => true)} /> : <Empty icon="search" title="No path has all of these words" text="Fewer or shorter words find more." />}</Card>
        </>
      )}
      <Command request={{ method: "GET", path: "sys/internal/specs/openapi" }} />
    </Page>
  );
}

/** The paths that have every word: in the path first, then in what is said about it. */
function search(paths: PathInfo[], wanted: string): PathInfo[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const points = (one: PathInfo): number => {
    const path = one.path.toLowerCase();
    const all = `${path} ${one.about} ${one.operations.map(({ method, about }) => `${method} ${about}`).join(" ")}`.toLowerCase();
    if (!words.every((word) => all.includes(word))) return 0;
    return 1 + words.filter((word) => path.includes(word)).length * 2 + words.filter((word) => path.split("/").includes(word)).length - (one.isOld ? 1 : 0);
  };
  return paths
    .map((one) => ({ one, points: points(one) }))
    .filter(({ points }) => points > 0)
    .sort((one, other) => other.points - one.points || one.one.path.localeCompare(other.one.path))
    .map(({ one }) => one);
}
