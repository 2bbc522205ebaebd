import assert from "node:assert/strict";
import { test } from "node:test";
import { inTextarea, withEndsOf } from "../src/screens/secrets/ends";

test("the ends of lines that nobody changed stay as they were", () => {
  assert.equal(inTextarea("a\r\nb\rc\nd"), "a\nb\nc\nd");
  assert.equal(withEndsOf("a\r\nb\r\n", "a\nbx\n"), "a\r\nbx\r\n");
  assert.equal(withEndsOf("a\r\nb", "a\nnew\nb"), "a\r\nnew\r\nb", "new lines end as the others");
  assert.equal(withEndsOf("a\r\nb\rc\nd", "a\nb\nc\nde"), "a\r\nb\rc\nde", "each keeps its own");
  assert.equal(withEndsOf("a\r\nb\nc", "xa\nb\nc"), "xa\r\nb\nc");
  assert.equal(withEndsOf("a\r\nb", "ab"), "ab");
  assert.equal(withEndsOf("a\r\nb", ""), "");
  assert.equal(withEndsOf("a\r\n\r\n", "a\n"), "a\r\n");
  assert.equal(withEndsOf("a\nb", "a\nb\n"), "a\nb\n");
  assert.equal(withEndsOf("a\r\n😀", "a\n😁"), "a\r\n😁");
});

test("what is typed is never swallowed", () => {
  for (const [before, now] of [["a\rX\nb", "a\n\nb"], ["a\rb", "a\n\nb"], ["a\nb\rc", "a\nb\n\nc"], ["\r", "\n\n"]] as const) assert.equal(inTextarea(withEndsOf(before, now)), now);
});
