import { describe, expect, test } from "vitest";
import { deadLetterTopics } from "../../shared/compose/dead-letter-topics.ts";
import type { Route } from "../../shared/model/route.ts";
import {
  kafkaConnection,
  kafkaToMqttRoute,
  mqttToKafkaRoute,
  planOf,
} from "../support/sample-routes.ts";

function topicsOf(routes: readonly Route[], servers: Readonly<Record<string, string[]>>): string[] {
  const kafkaConnections = new Map(
    Object.entries(servers).map(([id, bootstrapServers]) => [
      id,
      kafkaConnection({ id, bootstrapServers }),
    ]),
  );
  return deadLetterTopics(planOf(routes, { kafkaConnections })).map(
    ({ topic, route }) => `${topic} by ${route.name}`,
  );
}

const a = kafkaToMqttRoute({ name: "a", kafkaConnection: "one" });
const b = mqttToKafkaRoute({ name: "b", kafkaConnection: "two" });
const c = mqttToKafkaRoute({ name: "c", kafkaConnection: "one", deadLetterTopic: "other" });

describe("deadLetterTopics()", () => {
  test("are read once, also by two connections to one Kafka", () => {
    expect(topicsOf([a, b, c], { one: ["x:1", "y:1"], two: ["Y:1", "z:1"] })).toEqual([
      "isthmus.dead-letter by a",
      "other by c",
    ]);
  });

  test("of one name in two Kafkas are two", () => {
    expect(topicsOf([a, b, c], { one: ["x:1"], two: ["y:1"] })).toEqual([
      "isthmus.dead-letter by a",
      "isthmus.dead-letter by b",
      "other by c",
    ]);
  });
});
