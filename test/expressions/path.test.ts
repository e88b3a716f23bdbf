import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInput, parseOutput } from "../../shared/expressions/field-reference.ts";
import { parsePath } from "../../shared/expressions/path.ts";

describe("parsePath()", () => {
  test.each([
    ["Person.Address.Street.Number", ["Person", "Address", "Street", "Number"]],
    ["Person.Date of Birth", ["Person", "Date of Birth"]],
    ['Payload."Tag.10".Value', ["Payload", "Tag.10", "Value"]],
    [
      'Payload."Tag.10".Measurements."Vibration.$12".Value',
      ["Payload", "Tag.10", "Measurements", "Vibration.$12", "Value"],
    ],
    ['Payload.He said: "Hello", and waved', ["Payload", 'He said: "Hello", and waved']],
    ['Payload.He said: "No. It is done"', ["Payload", 'He said: "No', ' It is done"']],
    [":Person:.:name:", [":Person:", ":name:"]],
    ["100 celsius.hot", ["100 celsius", "hot"]],
    ["'a.b'", ["'a", "b'"]],
    ['""', [""]],
    ["a..b", ["a", "", "b"]],
    ['"*"', ["*"]],
    ["nsu=http://opcfoundation.org/UA", ["nsu=http://opcfoundation", "org/UA"]],
  ])("splits %s at the dots outside quoted segments", (text, before) => {
    expect(parsePath(text)).toEqual({ before, hasWildcard: false, after: [] });
  });

  test.each([
    ["*", [], []],
    ["*.path2.path3", [], ["path2", "path3"]],
    ["path1.*.path3", ["path1"], ["path3"]],
    ["path1.path2.*", ["path1", "path2"], []],
  ])("finds the wildcard of %s", (text, before, after) => {
    expect(parsePath(text)).toEqual({ before, hasWildcard: true, after });
  });

  test.each([
    [
      "path1.partial*.path3",
      '"partial*" mixes a wildcard with text: "*" stands for whole fields only',
    ],
    ["a.*.b.*", '"a.*.b.*" has more than one wildcard'],
    ['a."b', '"a.\\"b" has an open quotation mark'],
    ['"a"b', '"\\"a\\"b" goes on after a closing quotation mark: put a dot there'],
  ])("says why %s is no path", (text, reason) => {
    expect(parsePath(text)).toBe(reason);
  });

  test("is total, and what it splits it can put together again", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), (names) => {
        const quoted = names.map((name) => `"${name.replaceAll('"', "")}"`);
        expect(parsePath(quoted.join("."))).toMatchObject({
          before: names.map((name) => name.replaceAll('"', "")),
        });
        expect(["string", "object"]).toContain(typeof parsePath(names.join(".")));
      }),
    );
  });
});

describe("parseInput()", () => {
  const payload = (...before: string[]) => ({
    kind: "payload",
    path: { before, hasWildcard: false, after: [] },
  });
  test.each([
    ["temperature", payload("temperature")],
    ["$source.temperature", payload("temperature")],
    ['@"Tag 10".Value', payload("Tag 10", "Value")],
    ["@timestamp", payload("@timestamp")],
    ["$context(position).BaseSalary", { kind: "context", dataset: "position" }],
    ["$context.Position", { kind: "context", dataset: undefined }],
    ["$metadata.topic", { kind: "topic" }],
    ["$metadata.user_property.priority", { kind: "property", name: "priority" }],
    ["$metadata.user_properties.priority", { kind: "property", name: "priority" }],
    ['$metadata.user_property."weird key"', { kind: "property", name: "weird key" }],
    ["$metadata.header.priority", { kind: "property", name: "priority" }],
    ["$metadata.priority", { kind: "property", name: "priority" }],
    ["$metadata.user_property.a.b", { kind: "property", name: "a.b" }],
    ["$metadata.system_property.content_type", { kind: "contentType" }],
  ])("reads %s", (text, source) => {
    expect(parseInput(text)).toMatchObject({ source, last: false });
  });

  test.each(["t ? $last", "t?$last", "t  ?  $LAST ", "t ?$Last"])(
    "reads %s as a field that is remembered",
    (text) => {
      expect(parseInput(text)).toMatchObject({ source: payload("t"), last: true, text: "t" });
    },
  );

  test.each([
    ["temperature ?? 0", /data flow graphs only: write if\(\$1 == \(\), default, \$1\)/],
    ['status ?? "not known"', /data flow graphs only/],
    ["temperature ? $last ?? 0", /data flow graphs only/],
    ["*.Max ? $last", /cannot follow a wildcard/],
    ["", /is empty/],
    ["$context(position)", /names no field/],
    ["$metadata", /names nothing: write \$metadata.topic/],
    ["$metadata.user_property", /names nothing/],
    ["$metadata.user_property.*", /metadata is named one by one/],
    ["$metadata.system_property.qos", /the only system property is content_type/],
    ["a.b*", /whole fields only/],
  ])("says why %s is no input", (text, reason) => {
    expect(parseInput(text)).toMatch(reason);
  });

  test.each(["$metdata.topic", "$topic"])("warns that %s is read as a field", (text) => {
    expect(parseInput(text)).toMatchObject({
      warning: expect.stringContaining("the prefixes are"),
    });
  });
});

describe("parseOutput()", () => {
  test.each([
    ["", { kind: "nowhere" }],
    ["Employee.Name", { kind: "payload" }],
    ["$metadata.topic", { kind: "topic" }],
    ["$metadata.header.x", { kind: "property", name: "x" }],
  ])("reads %s", (text, target) => {
    expect(parseOutput(text)).toMatchObject(target);
  });

  test("refuses to write a dataset", () => {
    expect(parseOutput("$context(a).b")).toMatch("can be read only");
  });
});
