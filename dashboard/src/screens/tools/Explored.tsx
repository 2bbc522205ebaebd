import type { JSX } from "preact";
import { engines } from "../../session/engines";
import type { PathInfo } from "../../forms/description";
import { allPaths, offerOf } from "../../forms/load";
import type { Offer } from "../../forms/offer";
import { href } from "../../shell/router";
import { Badge, Empty, LinkButton, Loading, Page, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { Operations } from "./Operations";
import { mountPlace } from "./places";
import "./tools.css";

/** Any path of the server as a form. */
export default function Explored({ params }: ScreenProps): JSX.Element {
  const template = params.template ?? "";
  const { data, error, reload } = useLoad(async (signal) => find(template, signal), [template]);
  const crumbs = [{ title: "API explorer", path: "/explorer" }];
  if (!data || !data.path)
    return (
      <Page title={template} crumbs={crumbs}>
        {error ? <Trouble error={error} what={template} onRetry={reload} /> : data ? <Empty icon="search" title="The server has no such path" text="It may belong to a mount that was moved or disabled, or to another namespace." /> : <Loading />}
      </Page>
    );
  return (
    <Page
      title={template}
      crumbs={crumbs}
      lead={data.path.operations.length > 1 ? data.path.about : undefined}
      actions={
        <>
          {data.path.needsSudo && <Badge tone="warn">needs sudo</Badge>}
          {data.path.isOpen && <Badge>open to everybody</Badge>}
          {data.offer && (
            <LinkButton icon="tools" href={href(mountPlace(data.offer.base))}>
              {`All of ${data.offer.base}/`}
            </LinkButton>
          )}
        </>
      }
    >
      <Operations key={template} path={data.path} offer={data.offer} />
    </Page>
  );
}

async function find(template: string, signal: AbortSignal): Promise<{ path: PathInfo | undefined; offer: Offer | null }> {
  const [paths, mounts] = await Promise.all([allPaths(), engines(signal).catch(() => [])]);
  // The longest mount that it is below; auth methods and the server's own paths have two parts, and one.
  const bases = [...mounts.map(({ path }) => path), ...(template.startsWith("auth/") ? [template.split("/").slice(0, 2).join("/")] : []), "sys", "identity"];
  const base = bases.filter((one) => template.startsWith(`${one}/`)).sort((one, other) => other.length - one.length)[0];
  return { path: paths.find((one) => one.path === template), offer: base ? await offerOf(base) : null };
}
