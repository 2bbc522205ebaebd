import "./secrets.css";
import type { JSX } from "preact";
import { ApiError } from "../../api/client";
import { Empty, Page, Trouble, useLoad } from "../../ui";
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
        {error instanceof ApiError && error.isDenied ? <NoSuchPlace /> : <Trouble error={error} what={`${path}/`} onRetry={reload} />}
      </Page>
    );
  }
  if (!data) return <Loading />;
  if (query.has("new")) return <Create key={name} at={data} folder={name} />;
  if (name === "" && query.has("settings") && data.kind === "kv2") return <MountSettings at={data} />;
  if (name === "" || name.endsWith("/")) return <Folder key={name} at={data} folder={name} query={query} />;
  return <SecretOf key={name} at={data} name={name} query={query} />;
}

/** The server does not say which of the two it is, so that nobody learns of places that are not theirs. */
function NoSuchPlace(): JSX.Element {
  return (
    <div role="alert">
      <Empty icon="warn" title="There is no such place, or none of it is open to your token" text="Look whether its name is right and whether it is in this namespace, or ask whoever keeps the policies." />
    </div>
  );
}
