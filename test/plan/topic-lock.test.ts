import { describe, expect, test } from "vitest";
import type { Plan } from "../../shared/model/plan.ts";
import {
  formatTopicLock,
  parseTopicLock,
  resolveTopicLock,
  routePattern,
  topicMatcher,
} from "../../shared/plan/topic-lock.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";

const pattern = (text: string) => ({ kind: "pattern", pattern: text }) as const;

function planOf(...routes: Plan["routes"]): Plan {
  return { routes, kafkaConnections: new Map(), mqttConnections: new Map() };
}

describe("topicMatcher()", () => {
  const route = kafkaToMqttRoute({ topics: [pattern("^plant-.*"), pattern("^line[12]$")] });
  test.each([
    ["plant-1", true],
    ["line2", true],
    ["line3", false],
    ["a-plant-1", false],
    ["__consumer_offsets", false],
  ])("%s: %s (S-30)", (topic, want) => {
    expect(topicMatcher(route)(topic)).toBe(want);
  });

  test("an expression takes whole names, and neither Kafka's own topics nor the dead letters", () => {
    const all = topicMatcher(kafkaToMqttRoute({ topics: [pattern("^.*")] }));
    expect(["a", "__a", "isthmus.dead-letter"].map(all)).toEqual([true, false, false]);
    expect(topicMatcher(kafkaToMqttRoute({ topics: [pattern("^a|b")] }))("xb")).toBe(false);
  });

  test("a route that names its topics has no expression", () => {
    expect(routePattern(kafkaToMqttRoute())).toBeUndefined();
    expect(topicMatcher(kafkaToMqttRoute())("source")).toBe(false);
  });
});

describe("resolveTopicLock()", () => {
  test("asks each connection once and sorts what it finds", async () => {
    const asked: string[] = [];
    const plan = planOf(
      kafkaToMqttRoute({ name: "b/two", topics: [pattern("^x")] }),
      kafkaToMqttRoute({ name: "a/one", topics: [pattern("^[xy]\\d")] }),
      kafkaToMqttRoute({ name: "c/none" }),
      mqttToKafkaRoute(),
    );
    const lock = await resolveTopicLock(plan, (connection) => {
      asked.push(connection);
      return Promise.resolve(["y2", "x1", "x"]);
    });
    expect(asked).toEqual(["kafka"]);
    expect(lock).toEqual({
      version: 1,
      routes: {
        "a/one": { pattern: "^[xy]\\d", topics: ["x1", "y2"] },
        "b/two": { pattern: "^x", topics: ["x"] },
      },
    });
    expect(Object.keys(lock.routes)).toEqual(["a/one", "b/two"]);
    expect(parseTopicLock(formatTopicLock(lock))).toEqual(lock);
  });

  test("fails when topics cannot be listed", async () => {
    const plan = planOf(kafkaToMqttRoute({ topics: [pattern("^x")] }));
    const listing = resolveTopicLock(plan, () => Promise.reject(new Error("offline")));
    await expect(listing).rejects.toThrow("offline");
  });
});

describe("parseTopicLock()", () => {
  test.each([
    ["{", "it is no JSON"],
    ["null", "expected an object"],
    ['{"version":2,"routes":{}}', "expected version 1, found 2"],
    ['{"version":1}', 'an object "routes"'],
    ['{"version":1,"routes":{"a/b":{"pattern":"^x","topics":[1]}}}', 'route "a/b"'],
    ['{"version":1,"routes":{"a/b":null}}', 'route "a/b"'],
  ])("%s: says %s and what to run", (text, says) => {
    expect(() => parseTopicLock(text)).toThrow(says);
    expect(() => parseTopicLock(text)).toThrow("isthmus plan --resolve");
  });
});
