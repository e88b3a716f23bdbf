import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { functions } from "../../shared/expressions/functions.ts";
import { compileTransform } from "../../shared/expressions/transform.ts";
import { messageOfText, payloadText, transformOf } from "../support/transforms.ts";

const page = readFileSync("docs/expressions.md", "utf8");
const table = /\| expression \| `\$1` .*\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(page)?.[1] ?? "";
const examples = table
  .trimEnd()
  .split("\n")
  .map((row) => row.split("|").slice(1, -1))
  .map((cells) => cells.map((cell) => /`(.*)`/.exec(cell)?.[1] ?? ""));

describe("docs/expressions.md", () => {
  test("has examples", () => expect(examples.length).toBeGreaterThan(8));

  test.each(examples)("%s of %s and %s is %s", (expression, first, second, result) => {
    const given = [first, second].flatMap((value, i) => (value ? [`"v${i + 1}":${value}`] : []));
    const inputs = ["v1", "v2"].slice(0, expression?.includes("$2") ? 2 : 1);
    const map = [{ inputs, output: "result", expression: expression ?? "" }];
    const run = compileTransform(transformOf({ map }), new Map());
    expect(payloadText(run(messageOfText(`{${given.join(",")}}`)))).toBe(`{"result":${result}}`);
  });

  test.each([...functions.keys()])("names the function %s", (name) => {
    expect(page).toMatch(new RegExp(`\`(?:${name}|${name.replace(/^.*::/, "")})(?:\`|\\()`));
  });
});
