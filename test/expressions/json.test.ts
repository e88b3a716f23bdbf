import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonObject, nodeAt } from "../../shared/expressions/json-node.ts";
import { JsonProblem, readJson } from "../../shared/expressions/json-reader.ts";
import { writeJson } from "../../shared/expressions/json-writer.ts";

function again(text: string): string | JsonProblem {
  const node = readJson(text);
  return node instanceof JsonProblem ? node : writeJson(node);
}

describe("readJson() and writeJson()", () => {
  test.each([
    "100",
    "100.0",
    "1e2",
    "-0",
    "-0.0",
    "0.10",
    "9007199254740993",
    "123456789012345678901234567890",
    "1E+400",
    "[100,100.0]",
    '{"__proto__":1,"constructor":2}',
    '{"":{"":[]}}',
    '"\\ud800"',
    "null",
  ])("keep %s as it is written", (text) => {
    expect(again(text)).toBe(text);
  });

  test.each([
    [' { "a" : [ 1 , { } ] ,\r\n\t"b" : null } ', '{"a":[1,{}],"b":null}'],
    ['"\\u0041\\/\\n\\u00e9"', '"A/\\né"'],
    ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  ])("write %s in one way", (text, written) => {
    expect(again(text)).toBe(written);
  });

  test.each([
    ["", "the text ends too early at character 1"],
    ["{", "a field's name is missing at character 2"],
    ['{"a"}', 'a ":" is missing at character 5'],
    ['{"a":1', 'a "," or "}" is missing at character 7'],
    ["[1,]", "unexpected text at character 4"],
    ["[1 2]", 'a "," or "]" is missing at character 4'],
    ["01", "unexpected text at character 2"],
    ["1.", "unexpected text at character 2"],
    ["+1", "unexpected text at character 1"],
    ["tru", "unexpected text at character 1"],
    ["NaN", "unexpected text at character 1"],
    ["{} {}", "unexpected text at character 4"],
    ['"a', "a text without an end, or with a control character, at character 1"],
    ['"a\nb"', "a text without an end, or with a control character, at character 1"],
    ['"\\x"', "a wrong escape in the text that ends at character 5"],
    ['{"\\x":1}', "a wrong escape in the text that ends at character 6"],
    ["[".repeat(501), "nested too deeply at character 501"],
  ])("say of %s what is wrong", (text, message) => {
    expect(again(text)).toEqual(new JsonProblem(message));
  });

  test("find fields among very many, and the last of two with one name", () => {
    const fields = Array.from({ length: 5000 }, (_, i) => `"f${i % 2500}":${i}`);
    const node = readJson(`{${fields.join(",")}}`);
    expect(node).toBeInstanceOf(JsonObject);
    if (!(node instanceof JsonObject)) return;
    expect(node.names).toHaveLength(2500);
    expect(nodeAt(node, ["f2499"])).toMatchObject({ text: "4999" });
    expect(node.copy().get("f0")).toMatchObject({ text: "2500" });
  });

  test("agree with JSON.parse on any text", () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:0123456789.eE+-\\u \ntruefalsn'.split(""),
      '"a"',
      "null",
    );
    const texts = fc.oneof(
      fc.json(),
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          expect(readJson(text)).toBeInstanceOf(JsonProblem);
          return;
        }
        const written = again(text);
        expect(JSON.parse(String(written))).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });
});
