import { read } from "../../api/client";
import { namespace, onForget } from "../../session";

/** A field of a request, as the server describes it. */
export interface FieldInfo {
  name: string;
  about: string;
  type: "string" | "boolean" | "integer" | "array" | "object";
  /** Seconds, or words like 1h. */
  isDuration: boolean;
}
/** Things of one sort below a mount: users, roles … */
export interface Collection {
  /** Below the mount: `users`, `role`. */
  path: string;
  about: string;
  fields: FieldInfo[];
}
/** What an auth method's own paths are. */
export interface Described {
  collections: Collection[];
  /** Configurations: one of each. */
  settings: Collection[];
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
}
interface Operation {
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Path {
  description?: string;
  get?: Operation;
  post?: Operation;
  delete?: Operation;
}
interface Document {
  paths: Record<string, Path>;
  components: { schemas: Record<string, Schema> };
}

let kept: { space: string; found: Promise<Document> } | null = null;
onForget(() => (kept = null));

/** What the server says of an auth method's paths; it comes out of the tables that answer requests. */
export async function described(mount: string): Promise<Described> {
  const document = await documentOf();
  const base = `/auth/${mount}/`;
  const own = Object.entries(document.paths).filter(([path]) => path.startsWith(base));
  const there = new Map(own.map(([path, what]) => [path.slice(base.length), what]));
  const collections: Collection[] = [];
  const settings: Collection[] = [];
  for (const [path, what] of there) {
    const parts = path.split("/");
    const last = parts[parts.length - 1] ?? "";
    const parent = parts.slice(0, -1).join("/");
    const fields = () => fieldsOf(document, what.post);
    if (last.startsWith("{") && !parent.includes("{") && what.post && what.get && there.get(parent)?.get) collections.push({ path: parent, about: what.description ?? "", fields: fields() });
    else if (!path.includes("{") && what.get && what.post && /^config/.test(path) && !there.has(`${path}/{name}`)) settings.push({ path, about: what.description ?? "", fields: fields() });
  }
  return { collections, settings };
}

function documentOf(): Promise<Document> {
  const space = namespace.value;
  if (kept?.space !== space) {
    const found = read<Document>("sys/internal/specs/openapi").then(({ data }) => data);
    kept = { space, found };
    // What was mounted meanwhile has to be found the next time.
    found.catch(() => (kept = null));
    setTimeout(() => (kept = null), 60_000);
  }
  return kept!.found;
}

function fieldsOf(document: Document, operation: Operation | undefined): FieldInfo[] {
  const schema = resolve(document, Object.values(operation?.requestBody?.content ?? {})[0]?.schema);
  return Object.entries(schema?.properties ?? {}).map(([name, raw]) => {
    const property = resolve(document, raw) ?? {};
    const types = [property.type ?? "string"].flat();
    const type = (["boolean", "integer", "array", "object"] as const).find((one) => types.includes(one)) ?? "string";
    return { name, about: raw.description ?? property.description ?? "", type, isDuration: property.format === "seconds" };
  });
}

function resolve(document: Document, schema: Schema | undefined): Schema | undefined {
  const name = schema?.$ref?.split("/").pop();
  return name ? document.components.schemas[name] : schema;
}
