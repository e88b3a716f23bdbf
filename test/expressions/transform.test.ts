import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Opaque } from "../../shared/expressions/inputs.ts";
import { readJson } from "../../shared/expressions/json-reader.ts";
import { writeJson } from "../../shared/expressions/json-writer.ts";
import type { MessageView } from "../../shared/expressions/scope.ts";
import { compileTransform, type Transformed } from "../../shared/expressions/transform.ts";
import type { FilterRule, Transform } from "../../shared/model/transform.ts";
import { messageOfText, payloadText, problemLines, transformOf } from "../support/transforms.ts";

function run(
  stages: Partial<Transform>,
  payload: string,
  given: Partial<MessageView> = {},
  datasets: Record<string, string> = {},
): Transformed {
  const compiled = compileTransform(transformOf(stages), new Map(Object.entries(datasets)));
  return compiled(messageOfText(payload, given));
}

function filters(...rows: [string[], string][]): FilterRule[] {
  return rows.map(([inputs, expression]) => ({ inputs, expression }));
}

describe("filter", () => {
  const one = filters([["temperature"], "$1 <= 20"]);
  const several = filters([["temperature"], "$1 <= 20"], [["humidity"], "$1 >= 80"]);
  test.each<[string, FilterRule[], boolean, string, string]>([
    ["drops where it is true", one, true, '{"temperature":20}', "filtered"],
    ["passes where it is false", one, true, '{"temperature":20.5}', "kept"],
    ["read the old way: passes where it is true", one, false, '{"temperature":20}', "kept"],
    ["read the old way: drops where it is false", one, false, '{"temperature":20.5}', "filtered"],
    ["one of several drops", several, true, '{"temperature":25,"humidity":90}', "filtered"],
    ["none of several drops", several, true, '{"temperature":25,"humidity":50}', "kept"],
    ["the first that drops decides", several, true, '{"temperature":5}', "filtered"],
    [
      "read the old way: all must be true",
      several,
      false,
      '{"temperature":5,"humidity":50}',
      "filtered",
    ],
    ["read the old way: all are true", several, false, '{"temperature":5,"humidity":90}', "kept"],
    [
      "can ask whether a field is there",
      filters([["a"], "$1 == ()"]),
      true,
      '{"a":null}',
      "filtered",
    ],
    [
      "needs no JSON when it reads none",
      filters([["$metadata.topic"], '$1 == "x"']),
      true,
      "21",
      "kept",
    ],
    [
      "rejects a wrong type",
      one,
      true,
      '{"temperature":"20"}',
      'EXPRESSION_FAILED: filter[0] "$1 <= 20": "<=" needs two of one kind to compare: $1 (temperature) is a string, "20" is an int',
    ],
    [
      "rejects a missing field",
      one,
      true,
      "{}",
      'EXPRESSION_FAILED: filter[0] "$1 <= 20": "<=" needs two of one kind to compare: $1 (temperature) is missing, "20" is an int',
    ],
    [
      "rejects a result that is not boolean",
      filters([["a"], "$1"]),
      true,
      '{"a":1}',
      'EXPRESSION_FAILED: filter[0] "$1": the result is int, not boolean',
    ],
    [
      "rejects what is no JSON",
      one,
      true,
      "21,5",
      "PAYLOAD_NOT_JSON: The payload is not JSON: unexpected text at character 3",
    ],
  ])("%s", (...[, filter, filterDrops, payload, outcome]) => {
    expect(payloadText(run({ filter, filterDrops }, payload))).toBe(outcome);
  });

  test.each<[string, FilterRule[], string[]]>([
    [
      "a wildcard",
      filters([["*.a"], "$1"]),
      ["filter[0].inputs[0]: error: a wildcard has no place in filter: name one field"],
    ],
    [
      "a number",
      filters([["a"], "$1 * 2"]),
      ['filter[0].expression: error: "$1 * 2" is never true or false: a filter needs a comparison'],
    ],
    [
      "a call that gives no boolean",
      filters([["a"], "cToF($1)"]),
      [
        'filter[0].expression: error: "cToF($1)" is never true or false: a filter needs a comparison',
      ],
    ],
    [
      "neither branch boolean",
      filters([["a"], "if($1, 1, 'x')"]),
      [
        "filter[0].expression: error: \"if($1, 1, 'x')\" is never true or false: a filter needs a comparison",
      ],
    ],
    [
      "no expression",
      filters([["a"], ""]),
      ['filter[0].expression: error: the expression is empty (column 1 of "")'],
    ],
    [
      "what may be boolean",
      filters([["a"], "if($1, true, 'x')"], [["a"], "contains($1, 1)"], [["a"], "!$1"]),
      [],
    ],
  ])("is checked: %s", (_, filter, lines) => {
    expect(problemLines({ filter })).toEqual(lines);
  });
});

describe("datasets", () => {
  const position = {
    key: "position",
    name: "position",
    inputs: ["$source.Position", "$context.Position"],
    expression: "$1 == $2",
  };
  const records =
    '{"Position":"Analyst","BaseSalary":70000.0,"WorkingHours":"Regular"}\n\n{"Position":"Receptionist","BaseSalary":43000}\r\n{"Position":"Analyst","BaseSalary":1}\n';
  const pay = {
    inputs: ["BaseSalary", "$context(position).BaseSalary"],
    output: "BaseSalary",
    expression: "if($1 == (), $2, $1)",
  };

  test.each([
    ["the first record that matches", '{"Position":"Analyst"}', '{"BaseSalary":70000.0}'],
    [
      "null counts as missing",
      '{"Position":"Receptionist","BaseSalary":null}',
      '{"BaseSalary":43000}',
    ],
    ["the message's own field first", '{"Position":"Analyst","BaseSalary":5}', '{"BaseSalary":5}'],
    ["no record matches", '{"Position":"Chef"}', "{}"],
  ])("%s", (_, payload, written) => {
    const outcome = run({ datasets: [position], map: [pay] }, payload, {}, { position: records });
    expect(payloadText(outcome)).toBe(written);
  });

  test("all fields of a record can be copied", () => {
    const map = [{ inputs: ["$context(position).*"], output: "Employment.*" }];
    const stages = { datasets: [position], map };
    const written = (payload: string): unknown =>
      payloadText(run(stages, payload, {}, { position: records }));
    expect(written('{"Position":"Analyst"}')).toBe(
      '{"Employment":{"Position":"Analyst","BaseSalary":70000.0,"WorkingHours":"Regular"}}',
    );
    expect(written('{"Position":"Chef"}')).toBe("{}");
  });

  test("a key has an alias, and a later dataset may be found by a former", () => {
    const outcome = run(
      {
        datasets: [
          {
            key: "datasets.parag10.rule42",
            name: "device",
            inputs: ["id", "$context(device).id"],
            expression: "$1 == $2",
          },
          {
            key: "sites",
            name: "site",
            inputs: ["$context(device).site", "$context.id"],
            expression: "$1 == $2",
          },
        ],
        map: [{ inputs: ["$context(site).name"], output: "site" }],
      },
      '{"id":7}',
      {},
      { "datasets.parag10.rule42": '[{"id":7.0,"site":"b"}]', sites: '{"id":"b","name":"Berlin"}' },
    );
    expect(payloadText(outcome)).toBe('{"site":"Berlin"}');
  });

  test("a filter can compare with a dataset", () => {
    const stages: Partial<Transform> = {
      datasets: [
        {
          key: "limits",
          name: "limits",
          inputs: ["$source.id", "$context(limits).id"],
          expression: "$1 == $2",
        },
      ],
      filter: [{ inputs: ["t", "$context(limits).max"], expression: "$1 <= $2" }],
    };
    const limits = { limits: '{"id":"a","max":20}\n{"id":"b","max":30}' };
    expect(run(stages, '{"id":"a","t":25}', {}, limits).kind).toBe("passed");
    expect(run(stages, '{"id":"b","t":25}', {}, limits).kind).toBe("filtered");
    expect(run(stages, '{"id":"c","t":25}', {}, limits).kind).toBe("rejected");
  });

  test.each([
    ["$2 == $1", '{"id":1}', "b"],
    ["$1 == $2 && true", '{"id":1}', "b"],
    ["$1 == $2", '{"id":1.0}', "b"],
    ["$1 == $2", '{"id":"1"}', "a"],
    ["$1 == $2", '{"id":true}', "c"],
    ["$1 == $2", '{"id":[1]}', "d"],
    ["$1 == $2", "{}", "e"],
    ["$1 == $2", '{"id":0.5}', "f"],
  ])(
    "the index finds what the condition %s asks for, as going through them does: %s",
    (expression, payload, found) => {
      const ids = ['"1"', "1", "true", "[1]", "null", "0.5"];
      for (const taken of [ids, ids.filter((id) => id !== "[1]")]) {
        const lines = taken.map((id) => `{"id":${id},"name":"${"abcdef"[ids.indexOf(id)]}"}`);
        const outcome = run(
          {
            datasets: [{ key: "x", name: "x", inputs: ["id", "$context.id"], expression }],
            map: [{ inputs: ["$context(x).name"], output: "n" }],
          },
          payload,
          {},
          { x: lines.join("\n") },
        );
        const isThere = found !== "d" || taken === ids;
        expect(payloadText(outcome)).toBe(isThere ? `{"n":"${found}"}` : "{}");
      }
    },
  );

  test.each([
    [
      "a failing condition",
      "$1 > $2",
      'EXPRESSION_FAILED: datasets[0] "$1 > $2": ">" needs two of one kind to compare: $1 (id) is an int, $2 ($context.id) is a string',
    ],
    [
      "a condition that is not boolean",
      "if(true, 1, $2)",
      'EXPRESSION_FAILED: datasets[0] "if(true, 1, $2)": the result is not a boolean',
    ],
  ])("a message is rejected for %s", (_, expression, reason) => {
    const outcome = run(
      {
        datasets: [{ key: "x", name: "x", inputs: ["id", "$context.id"], expression }],
        map: [{ inputs: ["$context(x).name"], output: "n" }],
      },
      '{"id":1}',
      {},
      { x: '{"id":"1"}' },
    );
    expect(payloadText(outcome)).toBe(reason);
  });

  test("a dataset that nothing asks for is not searched", () => {
    const stages = {
      datasets: [{ ...position, expression: "$1 > 5" }],
      map: [{ inputs: ["a"], output: "a" }],
    };
    expect(payloadText(run(stages, '{"a":1}', {}, { position: records }))).toBe('{"a":1}');
  });

  test.each([
    ["is not there", {}, /dataset "position" is not there/],
    [
      "has a line that is no JSON",
      { position: '{"a":1}\n{' },
      /line 2 is not JSON: a field's name is missing/,
    ],
    ["has a record that is no object", { position: '{"a":1}\n5' }, /record 2 is not a JSON object/],
    ["is an array with something else", { position: "[{},5]" }, /item 2 is not a JSON object/],
  ])("a transform cannot be compiled when its dataset %s", (_, datasets, message) => {
    expect(() => run({ datasets: [position] }, "{}", {}, datasets)).toThrow(message);
  });

  test("names are checked: twice the same, later ones, unknown ones", () => {
    const later = {
      key: "b",
      name: "b",
      inputs: ["$context(position).x", "$context.x"],
      expression: "$1 == $2",
    };
    expect(problemLines({ datasets: [position, position] })).toEqual([
      'datasets[1].key: error: there are two datasets named "position"',
    ]);
    expect(problemLines({ datasets: [later, position] })).toEqual([
      'datasets[0].inputs[0]: error: there is no dataset named "position"',
    ]);
    expect(problemLines({ datasets: [{ ...position, inputs: ["a", "*.b"] }] })).toEqual([
      "datasets[0].inputs[1]: error: a wildcard has no place in datasets: name one field",
    ]);
  });
});

describe("metadata", () => {
  const properties = new Map<string, string | Opaque>([
    ["priority", "high"],
    ["weird key", "w"],
    ["raw", new Opaque("bytes that are no text")],
  ]);
  const given: Partial<MessageView> = {
    topic: "plant/oven",
    contentType: "application/json",
    property: (name) => properties.get(name),
  };
  const keep = { inputs: ["*"], output: "*" };

  test.each([
    ["$metadata.topic", '{"x":"plant/oven"}'],
    ["$metadata.user_property.priority", '{"x":"high"}'],
    ['$metadata.header."weird key"', '{"x":"w"}'],
    ["$metadata.system_property.content_type", '{"x":"application/json"}'],
    ["$metadata.user_property.none", "{}"],
  ])("%s can be read", (input, written) => {
    const outcome = run({ map: [{ inputs: [input], output: "x" }] }, "any", given);
    expect(payloadText(outcome)).toBe(written);
  });

  test("what is no text cannot be read", () => {
    const map = [{ inputs: ["$metadata.header.raw"], output: "x" }];
    expect(payloadText(run({ map }, "{}", given))).toBe(
      'EXPRESSION_FAILED: map[0] -> "x": $1 ($metadata.header.raw) is bytes that are no text, which JSON cannot hold',
    );
  });

  test.each<[string, string | undefined]>([
    ['"text"', "text"],
    ["1.50", "1.5"],
    ["100.0", "100.0"],
    ["true", "true"],
    ["()", undefined],
    ["(1, 'a')", '[1,"a"]'],
  ])("%s is written as text", (expression, value) => {
    const rule = { inputs: [], output: "$metadata.user_property.k", expression };
    expect(run({ map: [keep, rule] }, "{}")).toMatchObject({
      kind: "passed",
      payload: undefined,
      edits: [{ field: { kind: "property", name: "k" }, value }],
    });
  });

  test("fields are copied to it: numbers as they are written, objects as JSON, null as nothing", () => {
    const outputs = [
      "$metadata.topic",
      "$metadata.header.o",
      "$metadata.header.n",
      "$metadata.system_property.content_type",
    ];
    const map = [keep, ...outputs.map((output, i) => ({ inputs: ["tonu"[i] ?? ""], output }))];
    expect(run({ map }, '{"t":100.0,"o":{"a":1.0},"n":null,"u":"text/plain"}')).toMatchObject({
      payload: undefined,
      edits: [
        { field: { kind: "topic" }, value: "100.0" },
        { field: { kind: "property", name: "o" }, value: '{"a":1.0}' },
        { field: { kind: "property", name: "n" }, value: undefined },
        { field: { kind: "contentType" }, value: "text/plain" },
      ],
    });
  });

  test("a field written to it is still copied with all others", () => {
    const map = [
      keep,
      { inputs: ["region"], output: "$metadata.header.region" },
      { inputs: ["x"], output: "y" },
    ];
    expect(payloadText(run({ map }, '{"region":"eu","x":1}'))).toBe('{"region":"eu","y":1}');
  });
});

describe("? $last", () => {
  test("remembers each input by itself, over missing and null values", () => {
    const compiled = compileTransform(
      transformOf({
        filter: [{ inputs: ["t ? $last"], expression: "$1 != () && $1 < 0" }],
        map: [
          { inputs: ["t ? $last"], output: "t" },
          { inputs: ["u ? $last"], output: "u" },
        ],
      }),
      new Map(),
    );
    const messages = [
      '{"u":0}',
      '{"t":1.0}',
      "{}",
      '{"t":null,"u":[2]}',
      '{"t":-5}',
      "{}",
      '{"t":3}',
      "{}",
    ];
    expect(messages.map((text) => payloadText(compiled(messageOfText(text))))).toEqual([
      '{"u":0}',
      '{"t":1.0,"u":0}',
      '{"t":1.0,"u":0}',
      '{"t":1.0,"u":[2]}',
      "filtered",
      "filtered",
      '{"t":3,"u":[2]}',
      '{"t":3,"u":[2]}',
    ]);
  });

  test("is not disturbed by what is no JSON, and not shared between transforms", () => {
    const compile = () =>
      compileTransform(transformOf({ map: [{ inputs: ["t ? $last"], output: "t" }] }), new Map());
    const one = compile();
    one(messageOfText('{"t":1}'));
    expect(one(messageOfText("x")).kind).toBe("rejected");
    expect(payloadText(one(messageOfText("{}")))).toBe('{"t":1}');
    expect(payloadText(compile()(messageOfText("{}")))).toBe("{}");
  });
});

describe("stages run in the order datasets, filter, map", () => {
  test("what is filtered is not mapped", () => {
    const stages: Partial<Transform> = {
      filter: filters([["a"], "$1 == 1"]),
      map: [{ inputs: ["a"], output: "x", expression: "$1 / 0" }],
    };
    expect(run(stages, '{"a":1}').kind).toBe("filtered");
    expect(run(stages, '{"a":2}').kind).toBe("rejected");
  });
});

describe("a transform is total and touches nothing outside its message", () => {
  const names = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "*", "");
  const json = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, true, 0, 1.5, -0, 1e300, "x", "é"),
      fc.array(tie("node"), { maxLength: 3 }),
      fc
        .array(fc.tuple(names, tie("node")), { maxLength: 4 })
        .map((all) => Object.fromEntries(all)),
    ),
  })).node;
  const payloads = fc.oneof(
    json.map((value) => JSON.stringify(value)),
    fc.string({ unit: "binary" }),
  );
  const path = fc
    .array(fc.oneof(names, fc.constant("*")), { minLength: 1, maxLength: 3 })
    .map((all) => all.join("."));
  const input = fc.oneof(
    path,
    path.map((text) => `${text} ? $last`),
    path.map((text) => `$context(d).${text}`),
    fc.constantFrom("$metadata.topic", "$metadata.header.k"),
  );
  const output = fc.oneof(path, fc.constantFrom("", "$metadata.topic", "$metadata.header.k"));
  const expression = fc.constantFrom(
    "",
    "$1",
    "$1 + 1",
    "($1, $1)",
    "typeof($1)",
    "str::from($1)",
    "$1 == $2",
  );
  const rule = fc
    .record({ inputs: fc.array(input, { maxLength: 2 }), output, expression })
    .map(({ expression, ...rest }) => (expression === "" ? rest : { ...rest, expression }));
  const filter = fc.record({
    inputs: fc.tuple(input, input),
    expression: fc.constantFrom("$1 == $2", "$1 < $2", "$1"),
  });
  const condition = fc.constantFrom("$1 == $2", "$1 == $2 || false");

  test("of any rules, messages and datasets: an outcome, and the dataset as it was", () => {
    let compiledCount = 0;
    fc.assert(
      fc.property(
        fc.record({
          map: fc.array(rule, { maxLength: 4 }),
          filter: fc.array(filter, { maxLength: 1 }),
          condition,
        }),
        fc.array(payloads, { minLength: 1, maxLength: 4 }),
        json,
        ({ map, filter, condition }, texts, record) => {
          const stages = transformOf({
            datasets: [{ key: "d", name: "d", inputs: ["a", "$context.a"], expression: condition }],
            filter,
            map,
          });
          const isSound = problemLines(stages).every((line) => !line.includes(": error: "));
          const dataset = JSON.stringify([{ a: record }, { a: null, b: record }]);
          const compile = () => compileTransform(stages, new Map([["d", dataset]]));
          if (!isSound) {
            expect(compile).toThrow(RangeError);
            return;
          }
          compiledCount += 1;
          const first = compile();
          const outcomes = texts.map((text) => outcomeOf(first, text));
          // whoever looks on changes nothing
          const watched = compileTransform(stages, new Map([["d", dataset]]), () => undefined);
          expect(texts.map((text) => outcomeOf(watched, text))).toEqual(outcomes);
          // without its memory, what the same transform says does not depend on what came before
          const remembers = JSON.stringify(stages).includes("$last");
          if (!remembers) expect(texts.map((text) => outcomeOf(compile(), text))).toEqual(outcomes);
          expect(Object.hasOwn(Object.prototype, "a") || Object.hasOwn(Object.prototype, "b")).toBe(
            false,
          );
        },
      ),
      { numRuns: 3000 },
    );
    // most generated rules have an error: enough of them must have none for this to say anything
    expect(compiledCount).toBeGreaterThan(300);
  });

  function outcomeOf(compiled: (message: MessageView) => Transformed, text: string): unknown {
    const message = messageOfText(text);
    const before = message.payload.slice();
    const outcome = compiled(message);
    expect(message.payload).toEqual(before);
    if (outcome.kind === "passed" && outcome.payload !== undefined) {
      const written = readJson(new TextDecoder().decode(outcome.payload));
      expect(writeJson(written as never)).toBe(new TextDecoder().decode(outcome.payload));
    }
    return payloadText(outcome);
  }
});
