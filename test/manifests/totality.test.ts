import fc from "fast-check";
import { expect, test } from "vitest";
import { compileManifests } from "../../shared/manifests/compile.ts";
import { editDistance, nearest, orList } from "../../shared/manifests/nearest.ts";
import { fixture } from "./support.ts";

const names = [
  "connector-identity.yaml",
  "connector-sasl.yaml",
  "connector-key-vault.yaml",
  "topic-map.yaml",
  "dataflows.yaml",
  "devices.yaml",
];

function expectSound(text: string): void {
  const { plan, problems } = compileManifests([{ path: "any.yaml", text }]);
  for (const { location } of problems) {
    expect(location.line).toBeGreaterThanOrEqual(1);
    expect(location.column).toBeGreaterThanOrEqual(1);
  }
  for (const route of plan.routes) {
    expect(plan.kafkaConnections.has(route.kafkaConnection)).toBe(true);
    expect(plan.mqttConnections.has(route.mqttConnection)).toBe(true);
  }
}

test("any text is read without throwing", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), expectSound), {
    numRuns: 500,
  });
});

const scraps = [
  "{",
  "}",
  "[",
  "]",
  "*",
  "&a ",
  "<<: ",
  "{{",
  "}}",
  ": ",
  "- ",
  "\n",
  "\t",
  '"',
  "'",
  "|",
  "null",
  "~",
  "9",
  "#",
  "!!x ",
  "\u0000",
  "---\n",
];

test("any manifest with text put in anywhere is read without throwing", () => {
  const edit = fc.record({
    name: fc.constantFrom(...names),
    at: fc.nat(2000),
    drop: fc.nat(20),
    insert: fc.oneof(fc.constantFrom(...scraps), fc.string({ maxLength: 5 })),
  });
  fc.assert(
    fc.property(edit, ({ name, at, drop, insert }) => {
      const { text } = fixture(name);
      const place = at % text.length;
      expectSound(text.slice(0, place) + insert + text.slice(place + drop));
    }),
    { numRuns: 500 },
  );
});

test("any JSON in the place of a spec is read without throwing", () => {
  const kinds = fc.constantFrom(
    ["mq.iotoperations.azure.com/v1", "KafkaConnector"],
    ["mq.iotoperations.azure.com/v1", "KafkaConnectorTopicMap"],
    ["connectivity.iotoperations.azure.com/v1", "Dataflow"],
    ["connectivity.iotoperations.azure.com/v1", "DataflowEndpoint"],
    ["deviceregistry.microsoft.com/v1", "Device"],
    ["deviceregistry.microsoft.com/v1", "Asset"],
    ["v1", "Secret"],
  );
  fc.assert(
    fc.property(kinds, fc.jsonValue(), fc.jsonValue(), ([apiVersion, kind], spec, metadata) => {
      expectSound(JSON.stringify({ apiVersion, kind, metadata, spec, data: spec }));
      expectSound(
        JSON.stringify({ apiVersion, kind, metadata: { name: "x", annotations: metadata }, spec }),
      );
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["brackets without end", "[".repeat(20_000)],
  ["fields without end", "{a: ".repeat(5_000)],
  ["questions without end", "? ".repeat(20_000)],
  ["lists in one line without end", "- ".repeat(20_000)],
  ["deep indentation", Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  [
    "aliases of aliases",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
      .split("")
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(",")}]`)
      .join("\n")}\nkind: Secret\napiVersion: v1\n`,
  ],
  [
    "an alias of itself",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: &d {a: *d}\n",
  ],
  [
    "names of prototypes",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: __proto__}\ndata: {__proto__: a, constructor: b}\n",
  ],
  ["kinds named as prototypes", "apiVersion: v1\nkind: constructor\nmetadata: {name: a}\n"],
])("%s: read without throwing", (_, text) => {
  expectSound(text);
});

test("values named as members of every object are kept", () => {
  const text =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {toString: a, constructor: b}\n";
  const values = compileManifests([{ path: "c", text }]).configMaps.get("c");
  expect([...(values?.keys() ?? [])]).toEqual(["toString", "constructor"]);
});

test.each([
  ["", "", 0],
  ["abc", "", 3],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["ab", "ba", 1],
  ["Gzip", "Gizp", 1],
])("the distance of %s and %s is %i", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test.each([
  ["kafkaAck", ["kafkaAcks", "qos"], "kafkaAcks"],
  ["kafka_topic", ["kafkaTopic", "mqttTopic"], "kafkaTopic"],
  ["zzz", ["kafkaAcks", "qos"], undefined],
  ["x".repeat(500), ["x"], undefined],
  ["", ["a"], undefined],
])("the nearest of %s among %s is %s", (found, known, expected) => {
  expect(nearest(found, known)).toBe(expected);
});

test.each([
  [[], ""],
  [["a"], "a"],
  [["a", "b", "c"], "a, b or c"],
])("a list of %s in words", (values, expected) => {
  expect(orList(values)).toBe(expected);
});
