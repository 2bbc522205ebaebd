import type { JSX } from "preact";
import { href, path } from "../../shell/router";
import { Badge, Card, Empty, Loading, Table, Trouble, useLoad } from "../../ui";
import { ownPlace } from "../tools/ownPlace";
import { engines } from "../../session/engines";

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

/** A link to the screen that suits such an engine best. */
function Way({ mount, type }: { mount: string; type: string }): JSX.Element {
  return (
    <a class="mono break" href={href(ownPlace(type, mount) ?? path("engines", mount))}>
      {mount}/
    </a>
  );
}
