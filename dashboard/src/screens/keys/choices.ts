import { read } from "../../api/client";
import { namespace, onForget } from "../../session";

interface Schema {
  $ref?: string;
  description?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
}
interface Document {
  paths: Record<string, { post?: { requestBody?: { content: Record<string, { schema: Schema }> } } }>;
  components: { schemas: Record<string, Schema> };
}

const kept = new Map<string, Promise<string[]>>();
const KEPT_MAX = 50;
onForget(() => kept.clear());

/** The words that the server names for a field of a request (`aes256-gcm96`, `RSA_2048` …); `known` where it does not say. */
export function choices(path: string, field: string, known: string[]): Promise<string[]> {
  const key = JSON.stringify([namespace.value, path, field]);
  if (kept.size > KEPT_MAX) kept.clear();
  const found = kept.get(key) ?? named(path, field).catch(() => []);
  kept.set(key, found);
  return found.then((all) => (all.length > 0 ? all : known));
}

async function named(path: string, field: string): Promise<string[]> {
  const { data } = await read<Document>("sys/internal/specs/openapi");
  const schema = Object.values(data.paths[path]?.post?.requestBody?.content ?? {})[0]?.schema;
  const whole = schema?.$ref ? data.components.schemas[schema.$ref.split("/").pop() ?? ""] : schema;
  const about = whole?.properties?.[field];
  return about?.enum ?? [...new Set([...(about?.description ?? "").matchAll(/`([\w.-]+)`/g)].map(([, word]) => word!))];
}
