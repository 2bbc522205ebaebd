import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, clashesOf, rebased, wordsOf, writtenOf, type Kept } from "../src/screens/access/written";

const group: Kept = { name: "g", policies: ["dev"], metadata: null, member_entity_ids: null, member_group_ids: null };
const first = writtenOf(group);

test("only what was changed of a group is sent", () => {
  assert.deepEqual(bodyOf(first, first), { body: {}, wrong: null });
  assert.deepEqual(bodyOf({ ...first, metadata: "team=shop" }, first).body, { metadata: { team: "shop" } });
  assert.deepEqual(bodyOf({ ...first, policies: "" }, first).body, { policies: [] });
  assert.deepEqual(bodyOf({ ...first, name: " h ", disabled: true, member_entity_ids: "a\nb" }, first).body, { name: "h", disabled: true, member_entity_ids: ["a", "b"] });
});

test("what others changed meanwhile is kept, and a field that both changed is found", () => {
  const now = writtenOf({ ...group, policies: ["auditor", "dev"], member_entity_ids: ["e"] });
  const mine = { ...first, metadata: "team=shop", policies: "dev, mine" };
  assert.deepEqual(clashesOf({ ...first, metadata: "team=shop" }, first, now), []);
  assert.deepEqual(clashesOf(mine, first, now), ["policies"]);
  assert.deepEqual(clashesOf({ ...first, policies: now.policies }, first, now), []);
  // Reading anew takes nothing that was typed, and the clash is found afterwards, too.
  const later = rebased(mine, first, now);
  assert.deepEqual(later.form, { ...now, metadata: "team=shop", policies: "dev, mine" });
  assert.deepEqual(clashesOf(later.form, later.first, now), ["policies"]);
  assert.deepEqual(bodyOf(later.form, later.first).body, { policies: ["dev", "mine"], metadata: { team: "shop" } });
});

test("metadata of any kind comes back as it was", () => {
  for (const metadata of [{ note: "line1\nline2", "k=x": " padded " }, { "": "nameless" }, { a: "1", b: "x=y" }, { "{a": "b" }, { "a\rb": "c" }]) {
    const kept = { ...group, metadata };
    // Shown, and sent from nothing: the same.
    assert.deepEqual(bodyOf({ ...first, metadata: writtenOf(kept).metadata }, first).body, { metadata });
  }
  assert.match(bodyOf({ ...first, metadata: "{" }, first).wrong ?? "", /no JSON yet/);
});

test("the command line says all that was changed", () => {
  const words = wordsOf({ name: "@team", policies: [], metadata: { a: "1" }, disabled: true, member_entity_ids: ["x", "y"] });
  assert.deepEqual(words, ["name=\\@team", "policies=", 'metadata={"a":"1"}', "disabled=true", "member_entity_ids=x,y"]);
});
