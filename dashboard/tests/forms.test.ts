import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/api/error";
import { parse, print } from "../src/api/json";
import { described, filled, operationOf, type PathInfo } from "../src/forms/description";
import { parameterOf, type FieldInfo } from "../src/forms/field";
import { choicesOf, isSetting, offerIn, usesOf } from "../src/forms/offer";
import { refusals } from "../src/forms/refusals";
import type { Document, Schema } from "../src/forms/schema";
import { coversAll, isSecret, isSecretName } from "../src/forms/secrets";
import { changed, firstOf, missing, shown, withoutSecrets, wordsOf } from "../src/forms/values";

const field = (name: string, schema: Schema): FieldInfo => parameterOf({ paths: {} }, { name, in: "query", schema });

test("names of secrets, and names that only are about them", () => {
  for (const name of ["password", "bind_password", "private_key", "secret_id", "client_secret", "token", "client_token", "root_token", "plaintext", "secret_access_key", "otp", "backup", "key", "private_key_plaintext", "password_hash", "token_reviewer_jwt", "session_token", "client_tls_key"]) assert.ok(isSecretName(name), name);
  for (const name of ["password_policy", "secret_id_ttl", "secret_id_num_uses", "token_policies", "token_type", "token_ttl", "private_key_type", "private_key_format", "secret_id_accessor", "key_name", "keys", "jwt_validation_pubkeys", "id_token_signing_alg_values_supported", "public_key", "secret_shares", "secret_threshold", "private_key_ciphertext", "bind_secret_id", "username", "certificate"]) {
    assert.ok(!isSecretName(name), name);
  }
  assert.ok(isSecret("anything", "hvs.CAES") && isSecret("url", "otpauth://totp/x") && isSecret("pem", "-----BEGIN EC PRIVATE KEY-----\n"));
  assert.ok(coversAll("keys", { 1: "c2VjcmV0" }) && coversAll("keys", ["share"]) && coversAll("data", {}));
  assert.ok(!coversAll("keys", { 1: 1_700_000_000 }) && !coversAll("keys", { 1: "-----BEGIN PUBLIC KEY-----" }) && !coversAll("roles", ["a"]));
});

test("only what was changed is sent, as the server takes it", () => {
  const fields = [
    field("ttl", { type: "integer", format: "seconds", default: 0 }),
    field("count", { type: "integer" }),
    field("names", { type: "array", items: { type: "string" } }),
    field("versions", { type: "array", items: { type: "integer" } }),
    field("pairs", { type: "object", format: "kvpairs" }),
    field("any", { type: "object", additionalProperties: true }),
    field("on", { type: "boolean", default: true }),
    field("maybe", { type: "boolean", nullable: true }),
    field("text", { type: "string" }),
  ];
  const first = firstOf(fields);
  assert.deepEqual(changed(fields, first, first), { body: {}, wrong: {} });
  assert.equal(first.maybe, "");
  const values = { ...first, ttl: "90s", count: "7", names: ["a, b", "", "c"], versions: ["1", "2"], pairs: "a=1\nb=x=y", any: '{"z": [1]}', on: false, maybe: "false", text: " kept " };
  assert.deepEqual(changed(fields, values, first).body, { ttl: "90s", count: 7, names: ["a, b", "c"], versions: [1, 2], pairs: { a: "1", b: "x=y" }, any: { z: [1] }, on: false, maybe: false, text: " kept " });
  const wrong = changed(fields, { ...first, count: "seven", any: "[1]", versions: ["x"] }, first);
  assert.deepEqual(Object.keys(wrong.wrong).sort(), ["any", "count", "versions"]);
  assert.deepEqual(wrong.body, {});
  assert.equal(changed(fields, { ...first, count: "90071992547409931" }, first).body.count, "90071992547409931");
});

test("numbers are sent, shown and kept as they were typed", () => {
  const fields = [field("data", { type: "object", additionalProperties: true }), field("rows", { type: "array", items: { type: "object" } }), field("rate", { type: "number" }), field("whatever", {}), field("pairs", { type: "object", format: "kvpairs" })];
  const first = firstOf(fields);
  const typed = { data: '{"id": 18446744073709551615, "f": 1.10}', rows: "[1e400]", rate: "1.10", whatever: "1.00000000000000000001", pairs: '{"n": 1.10}' };
  const { body, wrong } = changed(fields, { ...first, ...typed }, first);
  assert.deepEqual(wrong, {});
  const sent = '{"data":{"id":18446744073709551615,"f":1.10},"rows":[1e400],"rate":1.10,"whatever":1.00000000000000000001,"pairs":{"n":1.10}}';
  assert.equal(print(body, false), sent);
  assert.deepEqual(wordsOf({ rate: body.rate, rows: body.rows }), ["rate=1.10", "rows=[1e400]"]);
  // And what the server gives back stands in the inputs as it was typed.
  const kept = firstOf(fields, parse(sent) as Record<string, unknown>);
  assert.deepEqual([kept.rate, kept.whatever, kept.rows, kept.pairs], ["1.10", "1.00000000000000000001", "[\n  1e400\n]", '{\n  "n": 1.10\n}']);
  assert.deepEqual(changed(fields, { rate: ".5" }, first).body, { rate: 0.5 });
  assert.deepEqual(Object.keys(changed(fields, { rate: "fast" }, first).wrong), ["rate"]);
});

test("what is kept is shown as it was written", () => {
  assert.equal(shown(field("ttl", { type: "integer", format: "seconds" }), 5_400), "90m");
  assert.equal(shown(field("ttl", { type: "integer", format: "seconds" }), 0), "");
  assert.deepEqual(shown(field("names", { type: "array", items: { type: "string" } }), null), []);
  assert.equal(shown(field("pairs", { type: "object", format: "kvpairs" }), { a: "1", b: "2" }), "a=1\nb=2");
  // Values with lines of their own are JSON, and come back whole.
  const pairs = field("pairs", { type: "object", format: "kvpairs" });
  const text = shown(pairs, { a: "one\ntwo" });
  assert.deepEqual(changed([pairs], { pairs: text }, { pairs: "" }).body, { pairs: { a: "one\ntwo" } });
  assert.deepEqual(missing([{ ...pairs, isRequired: true }], { pairs: "" }), ["pairs"]);
});

test("no secret is in a command", () => {
  assert.deepEqual(withoutSecrets({ password: "p", username: "u", token_policies: ["a"] }), { password: "…", username: "u", token_policies: ["a"] });
  assert.deepEqual(wordsOf({ names: ["a"], secret_id: "s" }), ['names=["a"]', "secret_id=…"]);
  // What people keep under names of their own is secret whatever they call it.
  assert.deepEqual(withoutSecrets({ data: { user: "u", count: 1, deep: { a: "b" } }, options: { cas: 1 } }), { data: { user: "…", count: "…", deep: "…" }, options: { cas: 1 } });
  assert.deepEqual(wordsOf({ data: { user: "u" }, options: { cas: 1 } }), ['data={"user":"…"}', 'options={"cas":1}']);
  assert.deepEqual(withoutSecrets({ user: "u", list: ["a"] }, true), { user: "…", list: "…" });
  assert.deepEqual(wordsOf({ user: "u" }, true), ["user=…"]);
});

test("a refusal is said at the field that it names", () => {
  const said = refusals(new ApiError(400, ['field "default_ttl": "xx" is not a duration', "something else"]), ["default_ttl"]);
  assert.deepEqual(said, { fields: { default_ttl: '"xx" is not a duration' }, whole: "Something else" });
  assert.deepEqual(refusals(new Error("permission denied"), ["permission"]), { fields: {}, whole: "Permission denied" });
  assert.equal(refusals(new ApiError(404, ["1 error occurred:\n\t* unsupported path\n\n"]), []).whole, "The server takes no such name");
});

const param = (name: string, description = "") => ({ name, in: "path", required: true, description, schema: { type: "string" } });
const LIST = { parameters: [{ name: "list", in: "query", required: true, schema: { enum: ["true"] } }] };
const body = (...names: string[]) => ({ requestBody: { content: { "application/json": { schema: { properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])) } } } } });
const answer = (...names: string[]) => ({ responses: { 200: { content: { "application/json": { schema: { properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])) } } } } } });
const DOCUMENT: Document = {
  paths: {
    "/m{x}/roles": { get: LIST },
    "/m{x}/roles/{name}": { parameters: [param("name", "Name of the role.")], get: {}, post: body("ttl"), delete: {} },
    "/m{x}/static-roles": { get: LIST },
    "/m{x}/static-roles/{name}": { parameters: [param("name", "Name of the static role.")], get: {}, post: body("ttl") },
    "/m{x}/creds/{name}": { parameters: [param("name", "Name of the role.")], get: {} },
    "/m{x}/static-creds/{name}": { parameters: [param("name", "Name of the static role.")], get: {} },
    "/m{x}/certs": { get: LIST },
    "/m{x}/cert/{serial}": { parameters: [param("serial")], get: {} },
    "/m{x}/roles/{name}/rotate": { parameters: [param("name")], post: {} },
    "/m{x}/settings": { get: answer("size"), post: body("size") },
    "/m{x}/lookup": { get: answer("id"), post: body("token") },
    "/m{x}/files/{x}": { parameters: [param("x")], get: { parameters: [{ name: "list", in: "query", schema: { enum: ["true"] } }] }, post: body("a") },
  },
};

test("what a mount offers, whatever its name has in it", () => {
  const all = described(DOCUMENT);
  const offer = offerIn("m{x}", all);
  const at = (path: string): PathInfo => all.find((one) => one.path === `m{x}/${path}`)!;
  assert.deepEqual(offer.collections.map(({ list, entry }) => [list.path, entry?.path]), [
    ["m{x}/roles", "m{x}/roles/{name}"],
    ["m{x}/static-roles", "m{x}/static-roles/{name}"],
    ["m{x}/certs", "m{x}/cert/{serial}"],
    ["m{x}/files/{x}", "m{x}/files/{x}"],
  ]);
  assert.deepEqual(offer.settings.map(({ path }) => path), ["m{x}/settings"]);
  assert.deepEqual(offer.actions.map(({ path }) => path), ["m{x}/creds/{name}", "m{x}/static-creds/{name}", "m{x}/lookup"]);
  assert.ok(!isSetting(at("lookup")));
  assert.equal(filled(at("files/{x}"), { x: "a/{x}" }), "m{x}/files/a/{x}");
  assert.equal(operationOf(at("roles"), "GET"), undefined);
  assert.ok(operationOf(at("files/{x}"), "LIST") && operationOf(at("files/{x}"), "GET"));
  // Names are offered where the words say of what.
  const from = (path: string) => choicesOf(offer, at(path), at(path).params[0]!, {});
  assert.deepEqual(["roles/{name}/rotate", "creds/{name}", "static-creds/{name}"].map(from), ["m{x}/roles", "m{x}/roles", "m{x}/static-roles"]);
  assert.deepEqual(usesOf(offer, offer.collections[1]!).map(({ path }) => path.path), ["m{x}/static-creds/{name}"]);
});
