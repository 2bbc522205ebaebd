import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { isNumber, print, shown } from "../api/json";
import { Button, Code, Copy, download, duration, Secret, when } from "../ui";
import { coversAll, isSecret, isSecretName } from "./secrets";

/** Longer lists and texts are cut; copying takes all. */
const ENTRIES_MAX = 200;
const TEXT_MAX = 20_000;
const DEPTH_MAX = 4;
const LONG = 120;

const PEM = /^-----BEGIN [A-Z0-9 ]+-----/;
const PICTURE = /^data:image\/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]+$/;
/** The first bytes of a PNG, in base64. */
const PNG = /^iVBORw0KGgo[A-Za-z0-9+/=\s]+$/;
const SECONDS = /(^|_)(ttl|period|lease|duration|max_age|interval)$/;
const MOMENT = /(^|_)(expiration|time|at|not_before|not_after)$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

interface Facts {
  data: Record<string, unknown>;
  /** What the server says of each. */
  about?: Record<string, string>;
  depth?: number;
  /** All of them are secrets. */
  covered?: boolean;
}

/** The facts of an answer: names, values, and what the server says about each. */
export function ShownFacts({ data, about = {}, depth = 0, covered }: Facts): JSX.Element {
  const all = Object.entries(data);
  return (
    <>
      <dl class="facts shown-facts">
        {all.slice(0, ENTRIES_MAX).map(([name, value]) => (
          <div class={isLarge(name, value) ? "fact large" : "fact"} key={name}>
            <dt title={about[name] || undefined}>
              <code>{name}</code>
            </dt>
            <dd>
              <Shown name={name} value={value} depth={depth} covered={covered} />
            </dd>
          </div>
        ))}
      </dl>
      {all.length > ENTRIES_MAX && <p class="muted small">{all.length - ENTRIES_MAX} more; copy all to see them.</p>}
    </>
  );
}

/** A value of an answer, as it is best looked at. Secrets are hidden until somebody asks for them. */
export function Shown({ name, value, depth = 0, covered = false }: { name: string; value: unknown; depth?: number; covered?: boolean }): JSX.Element {
  if (value === undefined) return <span class="muted">–</span>;
  if (isNothing(value)) return <code class="muted">{print(value)}</code>;
  if (covered && typeof value !== "object") return <ShownSecret name={name} text={shown(value)} />;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (isNumber(value)) return <ShownNumber name={name} value={value} />;
  if (typeof value === "string") return <ShownText name={name} text={value} />;
  if (Array.isArray(value)) return <ShownList name={name} values={value} depth={depth} covered={covered || coversAll(name, value)} />;
  // What is kept under the name of a secret is one, whatever its own name is.
  if (depth >= DEPTH_MAX || isSecretName(name)) return <Json name={name} value={value} covered={covered} />;
  return <ShownFacts data={value as Record<string, unknown>} depth={depth + 1} covered={covered || coversAll(name, value)} />;
}

/** An empty text, list or object, or null: no two of them are the same, so they are shown as JSON. */
const isNothing = (value: unknown): boolean => value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);

/** Whether it needs the whole width. */
function isLarge(name: string, value: unknown): boolean {
  if (typeof value === "string") return PEM.test(value) || pictureOf(name, value) !== null || value.length > LONG || value.includes("\n");
  return Array.isArray(value) ? value.some((one) => typeof one === "object" || isLarge(name, one)) : typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function ShownNumber({ name, value }: { name: string; value: unknown }): JSX.Element {
  const about = typeof value === "number" ? value : 0;
  const words = SECONDS.test(name) && about > 0 ? duration(about) : MOMENT.test(name) && about > 1e9 && about < 1e11 ? when(about * 1_000) : null;
  return (
    <span class="row">
      <span class="num break">{print(value)}</span>
      {words && <span class="muted">{words}</span>}
    </span>
  );
}

function ShownText({ name, text }: { name: string; text: string }): JSX.Element {
  const picture = pictureOf(name, text);
  if (picture) return <img class="picture" src={picture} alt={name} />;
  if (isSecret(name, text)) return <ShownSecret name={name} text={text} />;
  if (PEM.test(text)) return <Lines name={name} text={text} isFile />;
  if (text.includes("\n") || text.length > LONG) return <Lines name={name} text={text} />;
  return (
    <span class="row nowrap-end">
      <span class="break mono">{text}</span>
      {ISO.test(text) && <span class="muted">{when(text)}</span>}
      <Copy text={text} label={`Copy ${name}`} />
    </span>
  );
}

const ShownSecret = ({ name, text }: { name: string; text: string }): JSX.Element => (text.includes("\n") ? <SecretLines name={name} text={text} /> : <Secret value={text} label={name} />);

function ShownList({ name, values, depth, covered }: { name: string; values: unknown[]; depth: number; covered: boolean }): JSX.Element {
  if (values.some((one) => Array.isArray(one)) || depth >= DEPTH_MAX) return <Json name={name} value={values} covered={covered} />;
  return (
    <ul class="stack tight">
      {values.slice(0, ENTRIES_MAX).map((one, index) => (
        <li key={index}>
          <Shown name={name} value={one} depth={depth + 1} covered={covered} />
        </li>
      ))}
      {values.length > ENTRIES_MAX && <li class="muted">{values.length - ENTRIES_MAX} more</li>}
    </ul>
  );
}

/** Several lines, with a way to keep them as a file. */
function Lines({ name, text, isFile, children }: { name: string; text: string; isFile?: boolean; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="stack tight">
      <Code text={text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text} label={`Copy ${name}`} />
      {(isFile || children) && (
        <div class="row">
          {isFile && <Keep name={name} text={text} />}
          {children}
        </div>
      )}
    </div>
  );
}

/** A secret of several lines. */
function SecretLines({ name, text }: { name: string; text: string }): JSX.Element {
  const [open, setOpen] = useState(false);
  const toggle = (
    <Button size="small" icon={open ? "hidden" : "eye"} onClick={() => setOpen(!open)}>
      {`${open ? "Hide" : "Show"} ${name}`}
    </Button>
  );
  if (open) return <Lines name={name} text={text} isFile={PEM.test(text)} children={toggle} />;
  return (
    <span class="row">
      <span class="secret">
        <span class="dots" role="img" aria-label={`${name}, hidden`}>
          ••••••••
        </span>
      </span>
      {toggle}
      <Copy text={text} label={`Copy ${name}`} />
      {PEM.test(text) && <Keep name={name} text={text} />}
    </span>
  );
}

function Json({ name, value, covered }: { name: string; value: unknown; covered: boolean }): JSX.Element {
  const text = print(value);
  return covered || isSecretName(name) ? <SecretLines name={name} text={text} /> : <Lines name={name} text={text} />;
}

const Keep = ({ name, text }: { name: string; text: string }): JSX.Element => (
  <Button size="small" icon="download" label={`Download ${name}`} onClick={() => download(`${name.replace(/[^\w.-]+/g, "_")}${PEM.test(text) ? ".pem" : ".txt"}`, text)}>
    Download
  </Button>
);

/** The address of a picture that a text is, within the page's own policy; null if it is none. */
function pictureOf(name: string, text: string): string | null {
  if (PICTURE.test(text)) return text;
  return /barcode|qr/.test(name) && PNG.test(text) ? `data:image/png;base64,${text}` : null;
}
