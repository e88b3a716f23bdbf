import { describe, expect, test } from "vitest";
import { compileManifests, type LoadResult } from "../../shared/manifests/compile.ts";
import { formatProblem } from "../../shared/manifests/problem.ts";
import type { Route } from "../../shared/model/route.ts";
import type { Transform } from "../../shared/model/transform.ts";
import { variable } from "../support/translations.ts";

const kafka = `---
apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: {name: k}
spec:
  endpointType: Kafka
  kafkaSettings: {host: "localhost:9092", tls: {mode: Disabled}, consumerGroupId: g}
`;

interface Written {
  /** Lines of `builtInTransformationSettings`, of one operation each. */
  readonly settings?: readonly string[];
  readonly version?: string;
  readonly annotations?: string;
  /** What follows the destination's topic. */
  readonly destination?: string;
  readonly topic?: string;
}

function load({
  settings = [],
  version = "v1",
  annotations = "{}",
  destination = "",
  topic = "t",
}: Written): LoadResult {
  const operations = settings.map(
    (lines) =>
      `    - operationType: BuiltInTransformation\n      builtInTransformationSettings:\n${lines.replace(/^/gm, "        ")}\n`,
  );
  const text = `apiVersion: connectivity.iotoperations.azure.com/${version}
kind: Dataflow
metadata: {name: f, annotations: ${annotations}}
spec:
  operations:
    - {operationType: Source, sourceSettings: {endpointRef: k, dataSources: [a]}}
    - {operationType: Destination, destinationSettings: {endpointRef: default, dataDestination: "${topic}"${destination}}}
${operations.join("")}${kafka}`;
  return compileManifests([{ path: "m", text }], { localBroker: "mqtt://localhost:1883" });
}

function problemsOf(written: Written): string[] {
  return load(written)
    .problems.filter(({ severity }) => severity !== "note")
    .map((problem) => formatProblem(problem).replace(/^m:/, ""));
}

function routeOf(written: Written): Route {
  const { plan } = load(written);
  const [route] = plan.routes;
  if (route === undefined) throw new Error("There is no route");
  return route;
}

function transformOf(written: Written): Transform | undefined {
  return routeOf(written).transform;
}

describe("builtInTransformationSettings", () => {
  test("become the transform of the route, datasets, filter and map, with what the manifest says of them", () => {
    const settings = [
      `schemaRef: aio-sr://ns/out:1
serializationFormat: Json
datasets:
  - {key: rules.r42 as limits, inputs: [$source.id, $context.id], expression: $1 == $2, description: d, schemaRef: s}
filter:
  - {inputs: [t ? $last], expression: "$1 < 0", type: Filter, description: cold}
map:
  - {type: PassThrough, inputs: ['*'], output: '*', description: all}
  - {type: Compute, inputs: [t], output: t, expression: cToF($1)}
  - {inputs: [secret], output: }
`,
    ];
    const annotations = '{isthmus.dev/filter-drops: "true", isthmus.dev/datasets: plant}';
    expect(problemsOf({ settings, annotations })).toEqual([]);
    expect(transformOf({ settings, annotations })).toEqual({
      datasets: [
        {
          key: "rules.r42",
          name: "limits",
          inputs: ["$source.id", "$context.id"],
          expression: "$1 == $2",
        },
      ],
      datasetsConfigMap: "plant",
      filter: [{ inputs: ["t ? $last"], expression: "$1 < 0" }],
      filterDrops: true,
      map: [
        { inputs: ["*"], output: "*" },
        { inputs: ["t"], output: "t", expression: "cToF($1)" },
        { inputs: ["secret"], output: "" },
      ],
      outputSchema: "aio-sr://ns/out:1",
    });
  });

  test("of several operations are one transform, whatever their order", () => {
    const settings = ["map: [{inputs: [a], output: a}]", "map: [{inputs: [b], output: b}]"];
    expect(transformOf({ settings })?.map).toEqual([
      { inputs: ["a"], output: "a" },
      { inputs: ["b"], output: "b" },
    ]);
    expect(
      problemsOf({ settings: [settings[0] ?? "", "map: [{inputs: [b, c], output: b}]"] }),
    ).toEqual([
      "13:24: error: the rule has 2 inputs and no expression: give an expression that makes one value of them (spec.operations[3].builtInTransformationSettings.map[0].inputs)",
    ]);
  });

  test.each([
    "{}",
    "map: []",
    "map: [{inputs: ['*'], output: '*'}]",
    "map: [{inputs: ['*'], output: '*', expression: ''}]",
    "datasets: []",
  ])("that change nothing are none: %s", (settings) => {
    expect(problemsOf({ settings: [settings] })).toEqual([]);
    expect(transformOf({ settings: [settings] })).toBeUndefined();
  });

  test("datasets are looked up in the ConfigMap datasets where no other is named", () => {
    const settings = ["datasets: [{key: position, inputs: [a, $context.a], expression: $1 == $2}]"];
    expect(transformOf({ settings })).toMatchObject({
      datasetsConfigMap: "datasets",
      datasets: [{ key: "position", name: "position" }],
    });
    const { problems } = load({ settings });
    expect(problems).toMatchObject([
      {
        severity: "note",
        message: expect.stringContaining('ConfigMap "datasets" is in no manifest'),
      },
    ]);
  });

  test.each<[string, string, Partial<Transform>]>([
    [
      "map.conversion",
      "map: [{inputs: [a], output: b, conversion: $1 * 2}]",
      { map: [{ inputs: ["a"], output: "b", expression: "$1 * 2" }] },
    ],
    [
      "filter.condition",
      "filter: [{inputs: [a], condition: $1 > 2}]",
      { filter: [{ inputs: ["a"], expression: "$1 > 2" }] },
    ],
    [
      "a dataset's condition",
      "datasets: [{key: position, condition: $source.Position == $context.Position}]",
      {
        datasets: [
          {
            key: "position",
            name: "position",
            inputs: ["$source.Position", "$context.Position"],
            expression: "$1 == $2",
          },
        ],
      },
    ],
  ])("the first previews' %s is read (S-2)", (_, settings, transform) => {
    expect(
      transformOf({ settings: [settings], annotations: '{isthmus.dev/filter-drops: "false"}' }),
    ).toMatchObject(transform);
  });

  test("two spellings that differ are an error (S-2)", () => {
    expect(
      problemsOf({
        settings: ["map: [{inputs: [a], output: b, expression: $1, conversion: $1 * 2}]"],
      }),
    ).toEqual([
      '10:68: error: "expression" and "conversion" name different things: keep one (spec.operations[2].builtInTransformationSettings.map[0].conversion)',
    ]);
  });

  const at = "(spec.operations[2].builtInTransformationSettings";
  test.each([
    [
      "map: [{inputs: [a], output: b, expression: $1 +}]",
      `10:52: error: the expression ends too early (column 5 of "$1 +") ${at}.map[0].expression)`,
    ],
    [
      "map: [{inputs: [a], output: b, expression: 'flor($1)'}]",
      `10:52: error: there is no function "flor" (column 1 of "flor($1)"); did you mean floor? ${at}.map[0].expression)`,
    ],
    [
      "map: [{inputs: [a, 'b.c*'], output: b, expression: $1}]",
      `10:28: error: "c*" mixes a wildcard with text: "*" stands for whole fields only ${at}.map[0].inputs[1])`,
    ],
    [
      "map: [{inputs: [$context(a).b], output: b}]",
      `10:25: error: there is no dataset named "a" ${at}.map[0].inputs[0])`,
    ],
    [
      "datasets: [{key: permissions, inputs: [a, $context.a], expression: $1 == $2}]\nmap: [{inputs: [$context(permission).b], output: b}]",
      `11:25: error: there is no dataset named "permission"; did you mean permissions? ${at}.map[0].inputs[0])`,
    ],
    [
      "datasets: [{key: limits, inputs: [a, $context.a], expression: $1 == $2}]\nmap: [{inputs: [$context(x).b], output: b}]",
      `11:25: error: there is no dataset named "x": known are "limits" ${at}.map[0].inputs[0])`,
    ],
    [
      "map: [{inputs: a, output: b}]",
      `10:24: error: found "a", expected a list (- … on a line of its own for each item) ${at}.map[0].inputs)`,
    ],
    [
      "map: [{inputs: [a], output: b, expresion: $1}]",
      `10:40: warning: "expresion" is not a known field and has no effect; did you mean expression? ${at}.map[0].expresion)`,
    ],
    [
      "map: [{inputs: [a], output: b, expression: 5 == $1 < 2}]",
      `10:52: warning: "$1 < 2" is reckoned first: write brackets to say so (column 9 of "5 == $1 < 2") ${at}.map[0].expression)`,
    ],
    [
      "datasets: [{key: a, condition: 'Position is equal'}]",
      `10:19: error: "Position" is neither a value nor a call: put text in double quotes, and list a field under "inputs" to use it as $1 (column 1 of "Position is equal") ${at}.datasets[0].expression)`,
    ],
  ])("what is wrong is told with its place (S-1): %s", (settings, line) => {
    expect(problemsOf({ settings: [settings] })).toContain(line);
  });

  test("a flow with an error in them makes no route, and no other flow is concerned", () => {
    const { plan, problems } = load({
      settings: ["map: [{inputs: [a], output: b, expression: $2}]"],
    });
    expect(plan.routes).toEqual([]);
    expect(problems).toMatchObject([{ severity: "error", scope: "flow" }]);
  });
});

describe("what a filter that is true means", () => {
  const settings = ['filter: [{inputs: [a], expression: "$1 > 5"}]'];
  test.each([
    ["v1alpha1", false],
    ["v1beta1", false],
    ["v1beta2", false],
    ["v1", true],
    ["2026-03-01", true],
  ])("%s: dropped is %s, and validate says so", (version, drops) => {
    expect(transformOf({ settings, version })?.filterDrops).toBe(drops);
    const [line, ...others] = problemsOf({ settings, version });
    expect(others).toEqual([]);
    expect(line).toBe(
      `10:18: warning: a message for which the filter is true ${drops ? "is dropped" : "passes"}, as ${version} reads it: say so by the annotation isthmus.dev/filter-drops: "${drops}", or the other way round (spec.operations[2].builtInTransformationSettings.filter[0])`,
    );
  });

  test.each([
    ["v1beta1", "true", true],
    ["v1", "false", false],
  ])("%s: the annotation wins, and nothing is to be said", (version, value, drops) => {
    const annotations = `{isthmus.dev/filter-drops: "${value}"}`;
    expect(transformOf({ settings, version, annotations })?.filterDrops).toBe(drops);
    expect(problemsOf({ settings, version, annotations })).toEqual([]);
  });
});

describe("destinationSettings", () => {
  test("headers become actions, in order", () => {
    const destination =
      ", headers: [{actionType: addIfNotPresent, key: a, value: x}, {actionType: AddOrReplace, key: b, value: 5}, {actionType: Remove, key: c}]";
    expect(problemsOf({ destination })).toEqual([]);
    expect(routeOf({ destination }).headerActions).toEqual([
      { action: "AddIfNotPresent", name: "a", value: "x" },
      { action: "AddOrReplace", name: "b", value: "5" },
      { action: "Remove", name: "c" },
    ]);
  });

  test.each([
    [
      ", headers: [{actionType: AddOrReplace, key: b}]",
      '7:112: error: "value" is missing: AddOrReplace needs it (spec.operations[1].destinationSettings.headers[0])',
    ],
    [
      ", headers: [{actionType: Add, key: b, value: c}]",
      '7:125: error: "Add" is not allowed: use AddIfNotPresent, AddOrReplace or Remove (spec.operations[1].destinationSettings.headers[0].actionType)',
    ],
    [
      ", headers: [{actionType: Remove}]",
      '7:111: error: "key" is missing (spec.operations[1].destinationSettings.headers[0].key)',
    ],
  ])("what is wrong with headers is told (S-1): %s", (destination, line) => {
    expect(problemsOf({ destination })).toEqual([line]);
  });

  const settings = ["map: [{inputs: ['*'], output: '*'}, {inputs: [a], output: $metadata.topic}]"];
  test("a map that writes the topic is of use where the destination asks for it", () => {
    expect(problemsOf({ settings })).toEqual([
      `7:97: warning: the map writes $metadata.topic, which has no effect here: write ${variable("outputTopic")} where it belongs (spec.operations[1].destinationSettings.dataDestination)`,
    ]);
    expect(problemsOf({ settings, topic: variable("outputTopic") })).toEqual([]);
  });
});
