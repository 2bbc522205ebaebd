/** What a value is like, as OpenAPI has it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  nullable?: boolean;
  deprecated?: boolean;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}
/** A part of a path, or of what stands after its `?`. */
export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}
/** What one method does at a path. */
export interface Operation {
  summary?: string;
  description?: string;
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}
/** A path, with names in braces for the parts that vary. */
export interface Path {
  description?: string;
  parameters?: Parameter[];
  "x-vault-sudo"?: boolean;
  "x-vault-unauthenticated"?: boolean;
  get?: Operation;
  post?: Operation;
  patch?: Operation;
  delete?: Operation;
}
/** The server's description of its API; it comes out of the tables that answer requests. */
export interface Document {
  paths: Record<string, Path>;
  components?: { schemas?: Record<string, Schema> };
}

/** What a reference stands for. */
export function resolve(document: Document, schema: Schema | undefined): Schema | undefined {
  const name = schema?.$ref?.split("/").pop();
  return name ? document.components?.schemas?.[name] : schema;
}
