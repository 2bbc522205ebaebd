import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parse } from "../src/api/json";
import { cofferOf, curlOf, operands } from "../src/ui/Command";

/** The words that a shell makes of a command. */
const words = (command: string): string[] => execFileSync("sh", ["-c", `curl() { for one; do printf '%s\\0' "$one"; done; }; coffer() { curl "$@"; }; COFFER_ADDR=http://coffer; ${command}`], { encoding: "utf8" }).split("\0").slice(0, -1);

test("a command for curl asks for the name that is meant, and for nothing else", () => {
  for (const name of ["odd/q?mark", "a#b", "100%", "two words", "-dash", "it's", "x&y=z", "[1-3]{a,b}", "$HOME `id`"]) {
    const url = words(curlOf({ method: "GET", path: `secret/data/${name}`, query: { version: 2 } })).at(-1)!;
    const { pathname, search } = new URL(url);
    assert.equal(decodeURIComponent(pathname), `/v1/secret/data/${name}`);
    assert.equal(pathname.split("/").length, `/v1/secret/data/${name}`.split("/").length);
    assert.equal(search, "?version=2");
    assert.doesNotMatch(url, /[[\]{}]/, "curl makes several addresses of these");
  }
  // What curl would take for a direction.
  assert.deepEqual(words(curlOf({ method: "GET", path: "secret/a/../b" })).filter((one) => /path-as-is|http/.test(one)), ["--path-as-is", "http://coffer/v1/secret/a/../b"]);
});

test("a command for curl sends what is meant", () => {
  assert.deepEqual(words(curlOf({ method: "POST", path: "a", body: parse('{"id": 18446744073709551615, "f": 1.10, "t": "it\'s"}') })).slice(2), ["-d", '{"id":18446744073709551615,"f":1.10,"t":"it\'s"}', "http://coffer/v1/a"]);
  assert.deepEqual(words(curlOf({ method: "POST", path: "a", file: "backup.snap" })).slice(2), ["--data-binary", "@backup.snap", "http://coffer/v1/a"]);
  assert.deepEqual(words(curlOf({ method: "GET", path: "a", into: "backup.snap" })).slice(2), ["-o", "backup.snap", "http://coffer/v1/a"]);
  assert.deepEqual(words(curlOf({ method: "POST", path: "a" })).slice(2), ["-X", "POST", "http://coffer/v1/a"]);
});

test("a name is no flag of the command line", () => {
  assert.deepEqual(words(cofferOf(["kv", "get", "-mount=secret", ...operands("-dash")])), ["kv", "get", "-mount=secret", "--", "-dash"]);
  assert.deepEqual(words(cofferOf(["kv", "put", "-mount=secret", ...operands("app", "-key=…")])), ["kv", "put", "-mount=secret", "--", "app", "-key=…"]);
  assert.deepEqual(words(cofferOf(["read", ...operands("a b/q?mark")])), ["read", "a b/q?mark"]);
});
