import { describe, expect, test } from "vitest";
import { kafkaDestination, mqttDestination } from "../../shared/translate/destination.ts";
import { variable } from "../support/translations.ts";

const SECOND = variable("inputTopic.2");

describe("mqttDestination()", () => {
  test("splits a Kafka topic at its dots and leaves slashes alone (S-31)", () => {
    const destinationOf = mqttDestination(`factory/${SECOND}`);
    expect(destinationOf("line.a/b")).toEqual({ kind: "topic", topic: "factory/a/b" });
    expect(destinationOf("line/a")).toEqual({
      kind: "rejected",
      code: "TOPIC_SEGMENT_MISSING",
      reason: 'Topic "line/a" has no segment 2',
    });
  });

  test("rejects what is no Topic Name (S-32)", () => {
    expect(mqttDestination(variable("inputTopic"))("")).toEqual({
      kind: "rejected",
      code: "TOPIC_NAME_INVALID",
      reason: "Topic Name must not be empty",
    });
  });
});

describe("kafkaDestination()", () => {
  test("splits a Topic Name at its slashes and leaves dots alone (S-17, S-31)", () => {
    const destinationOf = kafkaDestination(`site/${SECOND}`);
    expect(destinationOf("plant/a.b")).toEqual({ kind: "topic", topic: "site.a.b" });
    expect(destinationOf("plant.a")).toEqual({
      kind: "rejected",
      code: "TOPIC_SEGMENT_MISSING",
      reason: 'Topic "plant.a" has no segment 2',
    });
  });

  test("rejects what is no Kafka topic (S-17, S-32)", () => {
    expect(kafkaDestination(variable("inputTopic"))("/")).toEqual({
      kind: "rejected",
      code: "KAFKA_TOPIC_INVALID",
      reason: 'Kafka topic must not be "."',
    });
  });
});

test.each([mqttDestination, kafkaDestination])(
  "$name() throws at preparation when the template is wrong",
  (prepare) => {
    expect(() => prepare(variable("topic"))).toThrow(RangeError);
  },
);
