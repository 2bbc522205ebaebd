import assert from "node:assert/strict";
import { test } from "node:test";
import { isNumber, isSame, isText, parse, parseFields, print, shown } from "../src/api/json";

const ODD = ["18446744073709551615", "1.10", "1.00000000000000000001", "1e400", "-0", "1E2", "0.1", "7", "-12.5e-3"];

test("numbers come out as they came in", () => {
  for (const number of ODD) {
    assert.equal(print(parse(number)), number);
    assert.equal(shown(parse(number)), number);
    assert.ok(isNumber(parse(number)) && !isText(parse(number)), number);
    assert.equal(print(parse(`{"a":[${number},{"b":${number}}]}`), false), `{"a":[${number},{"b":${number}}]}`);
  }
  assert.equal(print(parse('{"1.10": "1.10", "t": "a \\"1.10\\" b"}'), false), '{"1.10":"1.10","t":"a \\"1.10\\" b"}');
  assert.ok(isText(parse('"1.10"')) && !isNumber(parse('"1.10"')));
  assert.ok(isSame(parse('{"a": 1.10, "b": 2}'), parse('{"b": 2, "a": 1.10}')) && !isSame(parse("1.10"), parse("1.1")));
});

test("what is no JSON is refused in its own words", () => {
  for (const text of ["", "01", "1.", "{1.10: 2}", '{"a": 1.10', "[1.10,]", "number"]) {
    assert.throws(() => parse(text), { message: messageOf(text) }, text);
    assert.match(parseFields(text).wrong!, /^It is no JSON yet/);
  }
  assert.match(parseFields("[1.10]").wrong!, /has to be an object/);
});

function messageOf(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
