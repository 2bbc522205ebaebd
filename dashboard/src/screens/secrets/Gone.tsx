import type { JSX } from "preact";
import { href } from "../../shell/router";
import { Empty, LinkButton } from "../../ui";
import type { Content, Mount } from "./kv";
import type { WithLatest } from "./latest";
import { placeOf } from "./places";

/** Why a version has no values, in words. */
export function whyGone({ version, destroyed }: Content, wanted: number, latest: number): string {
  if (version > 0) return `Version ${version} was ${destroyed ? "destroyed" : "deleted"}`;
  return wanted > latest ? `There is no version ${wanted} yet` : `Version ${wanted} is not kept any more`;
}

/** Stands where the values of a version would be. */
export function Gone({ at, name, wanted, loaded: { content, latest } }: { at: Mount; name: string; wanted?: number; loaded: WithLatest }): JSX.Element {
  if (latest.version === 0) return <Empty icon="secrets" title="There is no such secret" text="It may have been deleted, or its name be another one." />;
  const text = content.destroyed ? "Its values are gone for good." : content.version ? "It can be brought back under Versions." : `The latest version is ${latest.version}.`;
  return (
    <Empty icon="secrets" title={whyGone(content, wanted ?? latest.version, latest.version)} text={text}>
      {content.version > 0 && <LinkButton href={href(placeOf(at.path, name, { tab: "versions" }))}>To the versions</LinkButton>}
      {content.version !== latest.version && <LinkButton href={href(placeOf(at.path, name))}>To the latest version</LinkButton>}
    </Empty>
  );
}
