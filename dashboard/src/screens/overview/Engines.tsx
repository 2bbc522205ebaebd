import type { JSX } from "preact";
import { SCREENS } from "..";
import { href, match, path } from "../../shell/router";
import { Badge, Card, Empty, Loading, Table, Trouble, useLoad } from "../../ui";
import { engines } from "./health";

/** The engines that this token can use, with the way to each. */
export function Engines(): JSX.Element {
  const { data, error, reload } = useLoad(engines, []);
  return (
    <Card title="Engines you can use" flush>
      {error && !data ? (
        <Trouble error={error} what="the engines" onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <Table
          label="Engines"
          rows={data}
          rowKey={(engine) => engine.path}
          empty={<Empty title="No engine is open to this token" text="A policy that grants a path of an engine makes it appear here." />}
          columns={[
            { head: "Path", cell: (engine) => <Way mount={engine.path} type={engine.type} /> },
            {
              head: "Type",
              cell: ({ type, version }) => (
                <Badge>
                  {type}
                  {version && ` v${version}`}
                </Badge>
              ),
            },
            { head: "What it is for", cell: ({ description }) => <span class="muted break">{description || "–"}</span> },
          ]}
        />
      )}
    </Card>
  );
}

/** A link, as soon as there is a screen for such an engine. */
function Way({ mount, type }: { mount: string; type: string }): JSX.Element {
  const wanted: Record<string, string> = { kv: path("secrets", mount), generic: path("secrets", mount), database: path("credentials", mount), cubbyhole: path("secrets", mount), transit: path("transit", mount), kms: path("kms", mount) };
  const places = [wanted[type], path("engines", mount)].filter((place): place is string => place !== undefined);
  const there = places.find((place) => SCREENS.some((screen) => match(screen.path, place)));
  return there ? (
    <a class="mono break" href={href(there)}>
      {mount}/
    </a>
  ) : (
    <span class="mono break">{mount}/</span>
  );
}
