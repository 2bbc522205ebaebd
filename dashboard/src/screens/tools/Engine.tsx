import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { list, read } from "../../api/client";
import { grantedAt } from "../../forms/granted";
import { filled, type PathInfo } from "../../forms/description";
import { offerOf } from "../../forms/load";
import { below, type Collection, type Offer } from "../../forms/offer";
import { href } from "../../shell/router";
import { Card, Command, Empty, Field, Icon, Loading, Page, sentence, Table, Trouble, useLoad } from "../../ui";
import type { ScreenProps } from "../types";
import { Paths } from "./Paths";
import { pathPlace } from "./places";
import "./tools.css";

/** A list is counted for so many collections; more would be many requests. */
const COUNTED_MAX = 8;
const FIND_FROM = 12;

/** What one mount offers: what it keeps, how it is set, and what it does. */
export default function Engine({ params }: ScreenProps): JSX.Element {
  const base = params.mount ?? "";
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [offer, about] = await Promise.all([offerOf(base), aboutOf(base, signal)]);
      return { offer, about, granted: await grantedAt(offer.paths) };
    },
    [base],
  );
  return (
    <Page title={`${base}/`} crumbs={[{ title: "Engines", path: "/engines" }]} lead={data?.about || "What it keeps, how it is set, and what it does."}>
      {error && !data ? <Trouble error={error} what={`what ${base}/ offers`} onRetry={reload} /> : null}
      {!data && !error && <Loading />}
      {data && <Parts key={base} offer={data.offer} granted={data.granted} />}
      <Command cli={["path-help", base]} request={{ method: "GET", path: `${base}/`, query: { help: 1 } }} />
    </Page>
  );
}

/** What the engine says of itself; nothing where it may not be asked. */
async function aboutOf(base: string, signal: AbortSignal): Promise<string> {
  const { raw } = await read(`${base}/`, { query: { help: 1 }, signal }).catch(() => ({ raw: {} as Record<string, unknown> }));
  return (/## DESCRIPTION\s+([\s\S]*?)(\n\s*\n|$)/.exec(String(raw.help ?? ""))?.[1] ?? "").replace(/\s+/g, " ").trim();
}

type Granting = Awaited<ReturnType<typeof grantedAt>>;

function Parts({ offer, granted }: { offer: Offer; granted: Granting }): JSX.Element {
  const [wanted, setWanted] = useState("");
  const [all, setAll] = useState(false);
  const fits = (one: PathInfo) => `${below(offer, one)} ${one.about} ${one.operations.map(({ about }) => about).join(" ")}`.toLowerCase().includes(wanted.trim().toLowerCase());
  const may = (one: PathInfo) => one.operations.some(({ method }) => granted(one, method));
  const open = (paths: PathInfo[]) => paths.filter((one) => (all || may(one)) && fits(one));
  const collections = offer.collections.filter(({ list, entry }) => (all || may(list) || (entry && may(entry))) && fits(list));
  const settings = open(offer.settings);
  const actions = open(offer.actions);
  const hidden = [...offer.settings, ...offer.actions, ...offer.collections.map((one) => one.list)].filter((one) => !may(one)).length;
  const isNothing = collections.length + settings.length + actions.length === 0;
  if (offer.paths.length === 0) return <Empty icon="tools" title="Nothing is mounted here" text="It may have been moved or disabled, or no policy of your token grants any of its paths." />;
  return (
    <>
      {offer.paths.length > FIND_FROM && (
        <div class="find">
          <Field label={`Find, in ${offer.base}/`} bare type="search" placeholder="Find by path or by what it does" value={wanted} onInput={setWanted} />
        </div>
      )}
      {isNothing && <Card><Empty title={wanted ? "Nothing has that in its words" : "Your token may do nothing here"} text={wanted ? "Paths and what is said about them are looked at." : "Ask whoever keeps the policies, or look at what is not granted below."} /></Card>}
      {collections.length > 0 && <Collections offer={offer} collections={collections} counts={granted} />}
      {settings.length > 0 && (
        <Card title="Settings" flush>
          <Paths label="Settings" paths={settings} text={(one) => below(offer, one)} place={(one) => pathPlace(offer, one)} granted={granted} />
        </Card>
      )}
      {actions.length > 0 && (
        <Card title="Actions" flush>
          <Paths label="Actions" paths={actions} text={(one) => below(offer, one)} place={(one) => pathPlace(offer, one)} granted={granted} />
        </Card>
      )}
      {hidden > 0 && (
        <label class="check">
          <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
          <span>
            Show what no policy of your token grants <span class="muted">({hidden})</span>
          </span>
        </label>
      )}
    </>
  );
}

function Collections({ offer, collections, counts }: { offer: Offer; collections: Collection[]; counts: Granting }): JSX.Element {
  const counted = collections.slice(0, COUNTED_MAX).filter((one) => counts(one.list, "LIST"));
  return (
    <Card title="Collections" flush>
      <div class="paths">
        <Table
          label="Collections"
          rows={collections}
          rowKey={({ list }) => list.path}
          columns={[
            { head: "Name", cell: (one) => <a class="row" href={href(pathPlace(offer, one.list))}><Icon name="folder" /><span class="mono break">{sortOf(offer, one)}</span></a> },
            { head: "What is in it", cell: ({ list }) => <span class="muted break">{sentence(list.about)}</span> },
            { head: "There are", right: true, cell: (one) => (counted.includes(one) ? <Count collection={one} /> : "–") },
          ]}
        />
      </div>
    </Card>
  );
}

function Count({ collection }: { collection: Collection }): JSX.Element {
  const from = filled(collection.list, {});
  const { data } = useLoad((signal) => list(from, { signal }).catch(() => null), [from]);
  return <>{data ? data.length : "–"}</>;
}

/** What a collection is called: its path without what varies. */
export const sortOf = (offer: Offer, { list }: Collection): string => below(offer, list).replace(/\/?\{[^/]*\}$/, "") || `${offer.base}/`;
