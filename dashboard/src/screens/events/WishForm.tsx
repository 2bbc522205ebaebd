import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { ApiError } from "../../api/client";
import { Button, Field, Icon, Select, sentence } from "../../ui";
import type { Begin, Wish } from "./store";
import { ALL } from "./store";
import { KINDS, wordsOf } from "./wish";

const WHERE = [
  { value: "here", label: "This namespace" },
  { value: "below", label: "This namespace and all below" },
  { value: "some", label: "This namespace and those named" },
];
const BEGIN: { value: Begin; label: string }[] = [
  { value: "now", label: "From now on" },
  { value: "oldest", label: "With all that the server still keeps" },
];
const HINT = 'For example operation == "data-write" and path matches "^secret/data/app". Also: event_type, data_path, namespace, source_plugin_mount, metadata.NAME.';

/** The part of a wish that a refusal is about. */
export type Wrong = "kinds" | "namespaces" | "filter" | null;

/** What the server is asked to send. Nothing is asked before the form is sent. */
export function WishForm({ wish, error, kinds, onSend }: { wish: Wish; error: ApiError | null; kinds: string[]; onSend: (wish: Wish, begin: Begin) => void }): JSX.Element {
  const wrong = error && wrongOf(error);
  const [open, setOpen] = useState(false);
  const [sent, setSent] = useState(0);
  const id = useId();
  return (
    <section class="wish">
      <div class="row apart">
        <span class="small break">
          <span class="muted">{error ? "Asked for: " : "Followed: "}</span>
          {wordsOf(wish)}
        </span>
        <button type="button" class="button quiet small" aria-expanded={open || Boolean(wrong)} aria-controls={id} onClick={() => setOpen(!open)}>
          <Icon name="edit" />
          <span>Choose what is followed</span>
        </button>
      </div>
      <div id={id} hidden={!open && !wrong}>
        <Fields
          key={JSON.stringify([wish, sent])}
          wish={wish}
          wrong={wrong ?? null}
          text={error ? sentence(error.message) : ""}
          kinds={kinds}
          onSend={(next, begin) => {
            setSent(sent + 1);
            onSend(next, begin);
          }}
        />
      </div>
    </section>
  );
}

function Fields({ wish, wrong, text, kinds, onSend }: { wish: Wish; wrong: Wrong; text: string; kinds: string[]; onSend: (wish: Wish, begin: Begin) => void }): JSX.Element {
  const [pattern, setPattern] = useState(wish.kinds);
  const [where, setWhere] = useState(wish.namespaces.length === 0 ? "here" : wish.namespaces.join() === "*" ? "below" : "some");
  const [spaces, setSpaces] = useState(where === "some" ? wish.namespaces.join(", ") : "");
  const [filter, setFilter] = useState(wish.filter);
  const [begin, setBegin] = useState<Begin>("now");
  const namespaces = where === "here" ? [] : where === "below" ? ["*"] : spaces.split(",").map((one) => one.trim().replace(/\/$/, "")).filter(Boolean);
  return (
    <form
      class="wish-fields"
      onSubmit={(event) => {
        event.preventDefault();
        onSend({ kinds: pattern.trim() || ALL.kinds, namespaces, filter: filter.trim() }, begin);
      }}
    >
      <Field label="Kinds" mono value={pattern} onInput={setPattern} choices={[...new Set([...KINDS, ...kinds])]} placeholder="*" hint="* stands for any text: kv-v2/data-write, kv*, lease/*" wrong={wrong === "kinds" && text} />
      <Select label="Where" value={where} onInput={setWhere} options={WHERE} />
      <Select label="Begin" value={begin} onInput={(value) => setBegin(value as Begin)} options={BEGIN} />
      {where === "some" && <Field label="Namespaces below this one" mono value={spaces} onInput={setSpaces} placeholder="team, team/*" wrong={wrong === "namespaces" && text} />}
      <div class="wish-filter">
        <Field label="Only events for which this holds" mono value={filter} onInput={setFilter} hint={HINT} wrong={wrong === "filter" && text} />
      </div>
      <div class="row">
        <Button type="submit" kind="primary">
          Follow
        </Button>
        <Button onClick={() => onSend(ALL, "now")}>Everything again</Button>
      </div>
    </form>
  );
}

/** What a refusal is about, by the words with which the server begins. */
export function wrongOf({ status, message }: ApiError): Wrong {
  if (status !== 400) return null;
  if (message.startsWith("filter,")) return "filter";
  if (message.includes("of namespaces")) return "namespaces";
  return message.includes("pattern of event types") ? "kinds" : null;
}
