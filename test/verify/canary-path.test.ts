import { describe, expect, test } from "vitest";
import type { KafkaToMqttRoute, MqttToKafkaRoute, Route } from "../../shared/model/route.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { recordToPublish } from "../../shared/translate/record-to-publish.ts";
import { canaryPath } from "../../shared/verify/canary-path.ts";
import { type CanaryShape, publishShape, recordShape } from "../../shared/verify/canary-shape.ts";
import { sourceKafkaTopic, sourceTopicName } from "../../shared/verify/canary-topics.ts";
import { kafkaToMqttRoute, mqttToKafkaRoute } from "../support/routes.ts";

const mark = { run: "0123abcd", number: 7, sentAt: 1_700_000_000_000 };
const now = { now: 1_700_000_001_234, newId: () => "5d0ba3f6-0000-4000-8000-000000000001" };

/** What arrives when the routes do what they should, at another moment than foretold. */
function arrived(routes: readonly Route[], topic: string): CanaryShape {
  let message = canaryPath({ route: routes[0] as Route, topic, lanes: 4, size: 100 }).message(mark);
  for (const route of routes) {
    if (route.direction === "kafkaToMqtt" && message.kind === "kafka") {
      const record = { ...message.record, partition: 3, offset: 9n, timestamp: now.now };
      const translation = recordToPublish(route)(record, now);
      if (translation.kind !== "translated") throw new Error(translation.kind);
      message = { kind: "mqtt", publish: translation.message };
    } else if (route.direction === "mqttToKafka" && message.kind === "mqtt") {
      const received = { publish: message.publish, receivedAt: now.now };
      const translation = publishToRecord(route, 0)(received, now);
      if (translation.kind !== "translated") throw new Error(translation.kind);
      message = { kind: "kafka", record: translation.message };
    }
  }
  return message.kind === "kafka" ? recordShape(message.record) : publishShape(message.publish);
}

const down = (over: Partial<KafkaToMqttRoute> = {}): KafkaToMqttRoute => kafkaToMqttRoute(over);
const up = (over: Partial<MqttToKafkaRoute> = {}): MqttToKafkaRoute =>
  mqttToKafkaRoute({ partitionStrategy: { kind: "Topic" }, ...over });

const ways: { name: string; routes: readonly [Route, Route?]; topic: string; to: string }[] = [
  { name: "Kafka to MQTT", routes: [down()], topic: "source", to: "factory/source" },
  {
    name: "Kafka to MQTT without headers",
    routes: [down({ copyMqttProperties: false })],
    topic: "source",
    to: "factory/source",
  },
  {
    name: "Kafka to MQTT with CloudEvents that are made on the way (S-40)",
    routes: [down({ cloudEvents: "CreateOrRemap" })],
    topic: "source",
    to: "factory/source",
  },
  { name: "MQTT to Kafka", routes: [up()], topic: "factory/x", to: "destination" },
  {
    name: "MQTT to Kafka with CloudEvents that are made on the way (S-40)",
    routes: [up({ cloudEvents: "CreateOrRemap", copyMqttProperties: false })],
    topic: "factory/x",
    to: "destination",
  },
  {
    name: "Kafka to MQTT and back",
    routes: [down(), up({ kafkaTopic: "again" })],
    topic: "source",
    to: "again",
  },
  {
    name: "MQTT to Kafka and back with its properties restored (S-24)",
    routes: [
      up(),
      down({
        topics: [{ kind: "pattern", pattern: "^dest.*" }],
        restoreMqttProperties: true,
        mqttTopic: "again",
      }),
    ],
    topic: "factory/x",
    to: "again",
  },
];

describe("canaryPath()", () => {
  test.each(ways)("foretells $name, but for what the moment decides", ({ routes, topic, to }) => {
    const [route, back] = routes;
    const path = canaryPath({ route, back, topic, lanes: 4, size: 100 });
    expect(path.to.topic).toBe(to);
    const shape = arrived(back === undefined ? [route] : [route, back], topic);
    expect(path.problem(mark, shape)).toBeUndefined();
    expect(path.problem({ ...mark, number: 8 }, shape)).toBeDefined();
  });

  const route = down({ cloudEvents: "Propagate" });
  const path = canaryPath({ route, topic: "source", lanes: 4, size: 100 });
  const good = arrived([route], "source");
  const fields = [...good.fields];
  test.each([
    {
      name: "another payload",
      shape: { ...good, payload: Buffer.from("{}") },
      want: "the payload is not as sent",
    },
    {
      name: "a property too few",
      shape: { ...good, fields: fields.slice(0, -1) },
      want: 'User Property "isthmus-check" is missing',
    },
    {
      name: "a property too many",
      shape: { ...good, fields: [...fields, ['User Property "new"', "x"] as const] },
      want: 'User Property "new" should not be there',
    },
    {
      name: "two properties in another order",
      shape: { ...good, fields: [...fields.slice(0, -2), ...fields.slice(-2).reverse()] },
      want: 'User Property "isthmus-check" is not as sent',
    },
    {
      name: "a property under another name",
      shape: { ...good, fields: [...fields.slice(0, -1), ['User Property "b"', "x"] as const] },
      want: 'User Property "b" stands where User Property "isthmus-check" should',
    },
  ])("finds $name", ({ shape, want }) => {
    expect(path.problem(mark, shape)).toBe(want);
  });

  test.each([
    { name: "Kafka to MQTT", route: down(), topic: "source", promised: true },
    { name: "the key is the topic", route: up(), topic: "factory/x", promised: true },
    {
      name: "the key is a property, which canaries have",
      route: up({ partitionStrategy: { kind: "Property", property: "device-id" } }),
      topic: "factory/x",
      promised: true,
    },
    {
      name: "one instance writes to one partition",
      route: up({ partitionStrategy: { kind: "Static" } }),
      topic: "factory/x",
      promised: true,
    },
    {
      name: "partitions take turns",
      route: up({ partitionStrategy: { kind: "Default" } }),
      topic: "factory/x",
      promised: false,
    },
    {
      name: "several subscribers share the messages (S-33)",
      route: up({ sharedSubscription: { groupName: "g", minimumShareNumber: 3 } }),
      topic: "factory/x",
      promised: false,
    },
  ])("order promised: $promised when $name (S-50)", ({ route, topic, promised }) => {
    expect(canaryPath({ route, topic, lanes: 1, size: 1 }).orderPromised).toBe(promised);
  });

  test.each([
    {
      name: "a second route of the same direction",
      routes: [down(), down({ name: "other" })],
      topic: "source",
      want: 'Route "other" does not lead back',
    },
    {
      name: "a second route that reads something else",
      routes: [down(), up({ name: "other", topicFilters: ["office/#"] })],
      topic: "source",
      want: 'Route "other" does not read MQTT topic "factory/source"',
    },
    {
      name: "a topic that the route rejects (S-31)",
      routes: [down({ mqttTopic: "factory/$" + "{inputTopic.2}" })],
      topic: "source",
      want: "TOPIC_SEGMENT_MISSING",
    },
  ])("refuses $name", ({ routes, topic, want }) => {
    const [first, back] = routes;
    const make = () => canaryPath({ route: first as Route, back, topic, lanes: 1, size: 1 });
    expect(make).toThrow(want);
  });
});

describe("where canaries are sent", () => {
  const pattern = down({ topics: [{ kind: "pattern", pattern: "^plant-.*" }] });
  const dead = down({ topics: [{ kind: "pattern", pattern: "^.*" }], deadLetterTopic: "a-dead" });

  test.each([
    { name: "the topic that the route names", route: down(), want: "source" },
    { name: "the topic asked for", route: pattern, asked: "plant-9", want: "plant-9" },
    { name: "nowhere yet: the broker has to be asked", route: pattern, want: undefined },
    {
      name: "the first that matches (S-30)",
      route: pattern,
      existing: ["other", "plant-2", "plant-1"],
      want: "plant-1",
    },
    {
      name: "no dead letters and nothing of Kafka's own",
      route: dead,
      existing: ["__consumer_offsets", "a-dead", "b"],
      want: "b",
    },
  ])("Kafka: $name", ({ route, asked, existing, want }) => {
    expect(sourceKafkaTopic(route, asked, existing)).toBe(want);
  });

  test.each([
    { name: "a topic that the route does not read", asked: "other", want: "does not read" },
    { name: "a pattern without a topic", existing: ["other"], want: "--kafka-topic" },
  ])("Kafka: not to $name", ({ asked, existing, want }) => {
    expect(() => sourceKafkaTopic(pattern, asked, existing)).toThrow(want);
  });

  test.each([
    { filter: "a/b", asked: undefined, want: "a/b" },
    { filter: "a/+/b/#", asked: undefined, want: "a/isthmus-canary/b/isthmus-canary" },
    { filter: "#", asked: undefined, want: "isthmus-canary" },
    { filter: "a/+/b", asked: "a/x/b", want: "a/x/b" },
  ])("MQTT: $filter and $asked make $want", ({ filter, asked, want }) => {
    expect(sourceTopicName(up({ topicFilters: [filter] }), asked)).toBe(want);
  });

  test.each([
    { asked: "b", want: "does not read" },
    { asked: "a/#", want: "wildcards" },
  ])("MQTT: not to $asked", ({ asked, want }) => {
    expect(() => sourceTopicName(up({ topicFilters: ["a/+"] }), asked)).toThrow(want);
  });
});
