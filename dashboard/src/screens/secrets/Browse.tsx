import "./secrets.css";
import type { JSX } from "preact";
import { Page, Trouble, useLoad } from "../../ui";
import { Loading } from "../../ui/Loading";
import type { ScreenProps } from "../types";
import { Create } from "./Create";
import { Folder } from "./Folder";
import { mount } from "./kv";
import { MountSettings } from "./MountSettings";
import { crumbs } from "./places";
import { SecretOf } from "./SecretOf";

/** A folder of a mount or one secret, as the address says. */
export default function Browse({ params, query }: ScreenProps): JSX.Element {
  const path = (params.mount ?? "").replace(/\/$/, "");
  const name = params.rest ?? "";
  const { data, error, reload } = useLoad((signal) => mount(path, signal), [path]);
  if (error && !data) {
    return (
      <Page title={`${path}/`} crumbs={crumbs(path, "")}>
        <Trouble error={error} what={`${path}/`} onRetry={reload} />
      </Page>
    );
  }
  if (!data) return <Loading />;
  if (query.has("new")) return <Create key={name} at={data} folder={name} />;
  if (name === "" && query.has("settings") && data.kind === "kv2") return <MountSettings at={data} />;
  if (name === "" || name.endsWith("/")) return <Folder key={name} at={data} folder={name} />;
  return <SecretOf key={name} at={data} name={name} query={query} />;
}
