import type { JSX } from "preact";
import { operationOf } from "../../forms/description";
import { KeptForm, readOrNone } from "../../forms/KeptForm";
import { pathsBelow } from "../../forms/load";
import { go, path } from "../../shell/router";
import { Loading, Page, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";

/** One user, role or configuration of an auth method, by the fields that the server describes. */
export default function Entry({ params }: ScreenProps): JSX.Element {
  const { mount: at = "", kind = "", name } = params;
  const base = `auth/${at}/${kind}`;
  const target = name === undefined ? base : `${base}/${name}`;
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [paths, kept] = await Promise.all([pathsBelow(`auth/${at}`), readOrNone(target, signal)]);
      const found = paths.find((one) => (name === undefined ? one.path === base : one.params.length === 1 && one.path.startsWith(`${base}/{`) && one.path.endsWith("}")));
      return { about: found?.about ?? "", fields: operationOf(found, "POST")?.body ?? [], answer: operationOf(found, "GET")?.answer, kept };
    },
    [target],
  );
  const crumbs = [
    { title: "Auth methods", path: "/access/auth" },
    { title: `auth/${at}/`, path: path("access", "auth", at) },
  ];
  if (data)
    return (
      <KeptForm
        {...data}
        {...{ title: name ?? kind, crumbs, target, reload }}
        deleting={name === undefined ? undefined : "Nobody can sign in by it any more. Tokens that were issued live on until they end or are revoked."}
        onDeleted={() => go(path("access", "auth", at))}
      />
    );
  return (
    <Page title={name ?? kind} crumbs={crumbs}>
      {error ? <Trouble error={error} what={target} onRetry={reload} /> : <Loading />}
    </Page>
  );
}
