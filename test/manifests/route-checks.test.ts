// biome-ignore-all lint/suspicious/noTemplateCurlyInString: topic templates are written so
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  filterMayMatch,
  selectorMayMatch,
  selectorsMayMeet,
} from "../../shared/manifests/overlap.ts";
import type { TopicSelector } from "../../shared/model/route.ts";
import { problemsOf } from "./support.ts";

const kafka = (
  host = "kafka:9092",
  group = "g",
): string => `apiVersion: connectivity.iotoperations.azure.com/v1
kind: DataflowEndpoint
metadata: {name: "${host}"}
spec: {endpointType: Kafka, kafkaSettings: {host: "${host}", consumerGroupId: ${group}}}
`;

const flow = (name: string, from: [string, string], to: [string, string]): string =>
  `apiVersion: connectivity.iotoperations.azure.com/v1
kind: Dataflow
metadata:
  name: ${name}
spec:
  operations:
    - {operationType: Source, sourceSettings: {endpointRef: "${from[0]}", dataSources: ["${from[1]}"]}}
    - {operationType: Destination, destinationSettings: {endpointRef: "${to[0]}", dataDestination: "${to[1]}"}}
`;

const K = "kafka:9092";
const up = (name: string, filter: string, topic: string, host = K) =>
  flow(name, ["mq", filter], [host, topic]);
const down = (name: string, topic: string, mqtt: string, host = K) =>
  flow(name, [host, topic], ["mq", mqtt]);
const all = (...parts: string[]): string => [kafka(), ...parts].join("---\n");
const cyclesOf = (...parts: string[]): string[] =>
  problemsOf(all(...parts)).filter((line) => line.includes("feed themselves"));

describe("routes that feed themselves are an error with the cycle printed (S-7)", () => {
  test("two routes", () => {
    expect(cyclesOf(up("a", "t/#", "k"), down("b", "k", "t/x"))).toEqual([
      "13:57: error: these routes feed themselves: a -> kafka:k -> b -> mqtt:t/x -> a (spec.operations[1].destinationSettings)",
    ]);
  });

  test("four routes, told of once", () => {
    const cycles = cyclesOf(
      up("a", "t/a", "k.a"),
      down("b", "k.a", "t/b"),
      up("c", "t/b", "k.b"),
      down("d", "^k\\.b$".replaceAll("\\", "\\\\"), "t/a"),
    );
    expect(cycles).toHaveLength(1);
    expect(cycles[0]).toContain(
      "a -> kafka:k.a -> b -> mqtt:t/b -> c -> kafka:k.b -> d -> mqtt:t/a -> a",
    );
  });

  test("through a template, whose variables may be any text", () => {
    const cycles = cyclesOf(up("a", "t/+", "k"), down("b", "^k.*", "t/${inputTopic}"));
    expect(cycles).toHaveLength(1);
  });

  test.each<[string, string[]]>([
    ["other Kafka topics", [up("a", "t/#", "k"), down("b", "l", "t/x")]],
    ["other MQTT topics", [up("a", "t/#", "k"), down("b", "k", "u/x")]],
    [
      "another Kafka",
      [kafka("other:9092"), up("a", "t/#", "k", "other:9092"), down("b", "k", "t/x")],
    ],
    [
      "two expressions with other beginnings",
      [up("a", "t/#", "x-${inputTopic.1}"), down("b", "^y-.*", "t/x")],
    ],
    ["one direction only", [up("a", "t/#", "k"), up("b", "t/#", "k")]],
  ])("%s: no cycle", (_, parts) => {
    expect(cyclesOf(...parts)).toEqual([]);
  });
});

describe("routes whose dead letters come back to them are such a cycle too (S-7, S-54)", () => {
  const dead = (text: string, topic: string): string =>
    text.replace(
      "metadata:\n",
      `metadata:\n  annotations: {isthmus.dev/dead-letter-topic: ${topic}}\n`,
    );

  test("two routes that read each other's dead letters", () => {
    const cycles = cyclesOf(dead(down("a", "d1", "t/a"), "d2"), dead(down("b", "d2", "t/b"), "d1"));
    expect(cycles).toEqual([
      expect.stringContaining(
        "a -> dead letters in kafka:d2 -> b -> dead letters in kafka:d1 -> a",
      ),
    ]);
  });

  test("dead letters that are published and come back to Kafka", () => {
    const cycles = cyclesOf(
      dead(down("a", "k", "t/a"), "d1"),
      dead(down("b", "d1", "u/b"), "d2"),
      up("c", "u/+", "k"),
    );
    expect(cycles).toEqual([
      expect.stringContaining(
        "a -> dead letters in kafka:d1 -> b -> mqtt:u/b -> c -> kafka:k -> a",
      ),
    ]);
  });

  test("a route that shows the dead letters of others is none", () => {
    expect(
      cyclesOf(down("a", "k", "t/a"), up("c", "u/#", "l"), dead(down("b", "^.*$", "v"), "d2")),
    ).toEqual([]);
  });
});

describe("a route that writes into a dead-letter topic (S-54)", () => {
  test("is an error, whose ever it is", () => {
    expect(problemsOf(all(down("a", "k", "t/a"), up("c", "u/#", "isthmus.dead-letter")))).toEqual([
      expect.stringContaining(
        'error: the route writes to "isthmus.dead-letter", the dead-letter topic of "a"',
      ),
    ]);
  });
});

describe("two routes of one group on one topic are told of (S-26)", () => {
  const sharing = (...parts: string[]): string[] =>
    problemsOf(all(...parts)).filter((line) => line.includes("consumer group"));

  test("by name", () => {
    expect(sharing(down("a", "k", "t/a"), down("b", "k", "t/b"))).toEqual([
      '22:57: warning: "a" and "b" read the same topic in the consumer group "g": each gets only a part of its records (spec.operations[1].destinationSettings)',
    ]);
  });

  test.each([
    ["^k-.*", "k-1", 1],
    ["^k-.*", "^k-1.*", 1],
    ["^k-.*", "^l-.*", 0],
    ["k", "l", 0],
  ])("%s and %s: %i warning", (one, other, count) => {
    expect(sharing(down("a", one, "t/a"), down("b", other, "t/b"))).toHaveLength(count);
  });

  test("two groups are nothing to tell of", () => {
    const parts = [
      kafka("kafka:9092,other:9092", "h"),
      down("a", "k", "t/a"),
      down("b", "k", "t/b", "kafka:9092,other:9092"),
    ];
    expect(sharing(...parts)).toEqual([]);
  });
});

describe("a route that reads its own dead letters (S-54)", () => {
  test("by name is an error", () => {
    expect(problemsOf(all(down("a", "isthmus.dead-letter", "t")))).toEqual([
      '13:57: error: the route reads its own dead-letter topic "isthmus.dead-letter": name another by the annotation isthmus.dev/dead-letter-topic (spec.operations[1].destinationSettings)',
    ]);
  });

  test("by an expression is a warning", () => {
    expect(problemsOf(all(down("a", "^.*$", "t")))).toEqual([
      expect.stringContaining("matches the route's own dead-letter topic"),
    ]);
  });
});

describe("filters and templates", () => {
  test.each<[string, string, boolean]>([
    ["#", "a", true],
    ["#", "$SYS/a", false],
    ["+/a", "$SYS/a", false],
    ["$SYS/#", "$SYS/a", true],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["a/#", "ab", false],
    ["a/+", "a/b", true],
    ["a/+", "a/b/c", false],
    ["a/+/c", "a/${inputTopic}/c", true],
    ["a/+/c", "a/${inputTopic}", true],
    ["a/b", "${inputTopic.1}/${inputTopic.2}", true],
    ["a/b", "x${inputTopic}", false],
    ["a", "$${inputTopic}", false],
    ["${inputTopic}", "$${inputTopic}", true],
  ])("%s may match %s: %s", (filter, template, expected) => {
    expect(filterMayMatch(filter, template)).toBe(expected);
  });

  const named = (topic: string): TopicSelector => ({ kind: "name", topic });
  const pattern = (text: string): TopicSelector => ({ kind: "pattern", pattern: text });

  test.each<[TopicSelector, string, boolean]>([
    [named("a.b"), "a/b", true],
    [named("a.b"), "a.${inputTopic}", true],
    [named("a.b"), "c.${inputTopic}", false],
    [pattern("^a.*$"), "abc", true],
    [pattern("^a"), "abc", false],
    [pattern("^(a|b)-.*"), "c-${inputTopic}", true],
    [pattern("^(a-.*|b-.*)$"), "c-${inputTopic}", false],
    [pattern("^(?:a-.*|b-.*)$"), "b-${inputTopic}", true],
    [pattern("^a-.*|b-.*"), "c-${inputTopic}", false],
    [pattern("^ab*"), "ac${inputTopic}", true],
    [pattern("^a\\.b.*"), "a-${inputTopic}", false],
    [pattern("^\\d+"), "a-${inputTopic}", true],
    [pattern("^a(b)c.*"), "x${inputTopic}", false],
    [pattern("^(a(b))|c"), "x${inputTopic}", true],
  ])("%o may read %s: %s", (selector, template, expected) => {
    expect(selectorMayMatch(selector, template)).toBe(expected);
  });

  test("a filter that matches a topic as MQTT says is never missed", () => {
    const level = fc.constantFrom("a", "b", "");
    const topic = fc.array(level, { minLength: 1, maxLength: 4 });
    const mask = fc.array(fc.constantFrom("keep", "plus"), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(topic, mask, fc.boolean(), (levels, masks, open) => {
        const filter = levels.map((text, index) => (masks[index] === "plus" ? "+" : text));
        const wanted = open ? [...filter.slice(0, -1), "#"] : filter;
        expect(filterMayMatch(wanted.join("/"), levels.join("/"))).toBe(true);
      }),
    );
  });

  test("the order of two selectors does not matter", () => {
    const selector = fc.oneof(
      fc.constantFrom("a", "b", "a-b").map(named),
      fc.constantFrom("^a.*", "^b-.*", "^.*", "^(a|b)$").map(pattern),
    );
    fc.assert(
      fc.property(selector, selector, (a, b) => {
        expect(selectorsMayMeet(a, b)).toBe(selectorsMayMeet(b, a));
      }),
    );
  });

  test("texts too long to compare count as overlapping", () => {
    const long = "a".repeat(500);
    expect(filterMayMatch(`+${"/+".repeat(400)}`, `\${inputTopic}${long}\${inputTopic}/b`)).toBe(
      true,
    );
  });
});
