import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OutgoingRecord } from "../../shared/model/kafka-record.ts";
import type { Publish, PublishProperties } from "../../shared/model/publish.ts";
import type { MqttToKafkaRoute, PartitionStrategy } from "../../shared/model/route.ts";
import type { Translation } from "../../shared/model/translation.ts";
import { publishToRecord } from "../../shared/translate/publish-to-record.ts";
import { anyPublish, publishOf } from "../support/publishes.ts";
import { mqttToKafkaRoute } from "../support/routes.ts";
import {
  bytes,
  contextAt,
  headersOf,
  messageOf,
  textsOf,
  utf8,
  variable,
  WRITTEN,
} from "../support/translations.ts";

function translate(
  publish: Parameters<typeof publishOf>[0],
  route: Partial<MqttToKafkaRoute> = {},
  afterMs = 0,
): Translation<OutgoingRecord> {
  const received = { publish: publishOf(publish), receivedAt: WRITTEN };
  return publishToRecord(mqttToKafkaRoute(route), 3)(received, contextAt(afterMs));
}

/** Headers as texts. */
function headers(
  properties: Partial<PublishProperties>,
  route: Partial<MqttToKafkaRoute> = {},
): (readonly [string, string])[] {
  return textsOf(messageOf(translate({ properties }, route)).headers);
}

const TOPIC = ["MQTT Topic", "plant/7/temperature"];

describe("publishToRecord() and the record", () => {
  test("carries the payload as the value, byte for byte", () => {
    const payload = bytes(0, 255, 128);
    expect(messageOf(translate({ payload })).value).toBe(payload);
  });

  test("carries an empty payload as an empty value, which is no tombstone", () => {
    expect(messageOf(translate({ payload: bytes() })).value).toEqual(bytes());
  });

  test("removes no header", () => {
    expect(translate({})).toMatchObject({ removed: [] });
  });
});

describe("publishToRecord() and the Kafka topic", () => {
  test.each([
    ["destination", "plant/7/t", "destination"],
    [variable("inputTopic"), "plant/7/t", "plant.7.t"],
    [`site.${variable("inputTopic.2")}`, "/plant/7/t", "site.7"],
    ["a/b", "plant/7/t", "a.b"],
  ])("is made by %s of %s: %s (S-17, S-32)", (kafkaTopic, topicName, topic) => {
    const route = publishToRecord(mqttToKafkaRoute({ kafkaTopic }), 0);
    const received = { publish: publishOf({ topicName }), receivedAt: WRITTEN };
    for (let i = 0; i < 2; i += 1) {
      expect(messageOf(route(received, contextAt())).topic).toBe(topic);
    }
  });

  test("rejects the message whose topic has no such segment (S-31)", () => {
    expect(translate({}, { kafkaTopic: variable("inputTopic.4") })).toEqual({
      kind: "rejected",
      code: "TOPIC_SEGMENT_MISSING",
      reason: 'Topic "plant/7/temperature" has no segment 4',
    });
  });

  test("rejects what is no Kafka topic (S-17, S-32)", () => {
    expect(translate({ topicName: "a b" }, { kafkaTopic: variable("inputTopic") })).toEqual({
      kind: "rejected",
      code: "KAFKA_TOPIC_INVALID",
      reason: 'Kafka topic "a b" must have only letters, digits, ".", "_" and "-": it has " "',
    });
  });

  test("rejects what would lie among the dead letters, as one of them (S-54)", () => {
    const topicName = "isthmus/dead-letter";
    expect(translate({ topicName }, { kafkaTopic: variable("inputTopic") })).toEqual({
      kind: "rejected",
      code: "KAFKA_TOPIC_INVALID",
      reason:
        'Cannot write to Kafka topic "isthmus.dead-letter": it is the route\'s dead-letter topic',
    });
  });

  test("throws at preparation, not at a message, when the template is wrong", () => {
    const route = mqttToKafkaRoute({ kafkaTopic: variable("topic") });
    expect(() => publishToRecord(route, 0)).toThrow(RangeError);
  });
});

describe("publishToRecord() and headers", () => {
  test("come as built-ins, MQTT Topic, then User Properties, order and duplicates kept (S-10, S-11)", () => {
    const correlationData = bytes(0xff, 0);
    const properties: PublishProperties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 3600,
      responseTopic: "answers/7",
      correlationData,
      contentType: "application/json",
      userProperties: [
        ["b", "1"],
        ["a", "\u00fc"],
        ["b", ""],
        ["constructor", "x"],
        ["1", "y"],
      ],
    };
    expect(messageOf(translate({ properties })).headers).toEqual(
      headersOf(
        ["Payload Format Indicator", "1"],
        ["Message Expiry Interval", "3600"],
        ["Response Topic", "answers/7"],
        ["Correlation Data", correlationData],
        ["Content Type", "application/json"],
        ["MQTT Topic", "plant/7/temperature"],
        ["b", "1"],
        ["a", "\u00fc"],
        ["b", ""],
        ["constructor", "x"],
        ["1", "y"],
      ),
    );
  });

  const each: [Partial<PublishProperties>, string, string][] = [
    [{ payloadFormatIndicator: 0 }, "Payload Format Indicator", "0"],
    [{ messageExpiryInterval: 1 }, "Message Expiry Interval", "1"],
    [{ responseTopic: "a" }, "Response Topic", "a"],
    [{ correlationData: utf8("id") }, "Correlation Data", "id"],
    [{ correlationData: bytes() }, "Correlation Data", ""],
    [{ contentType: "" }, "Content Type", ""],
  ];
  test.each(each)("of %j alone: %s = %j (S-10)", (properties, name, value) => {
    expect(headers(properties)).toEqual([[name, value], TOPIC]);
  });

  test("of a User Property named as a built-in that is present: both, the built-in first (S-10)", () => {
    expect(
      headers({ contentType: "text/plain", userProperties: [["Content Type", "mine"]] }),
    ).toEqual([["Content Type", "text/plain"], TOPIC, ["Content Type", "mine"]]);
  });

  test("are none when copying is off (S-10)", () => {
    const properties = { contentType: "text/plain", userProperties: [["a", "b"]] } as const;
    expect(headers(properties, { copyMqttProperties: false })).toEqual([]);
  });
});

describe("publishToRecord() and the Message Expiry Interval", () => {
  test.each([
    [3600, 0, "3600"],
    [3600, 999, "3600"],
    [3600, 1000, "3599"],
    [3600, 1_000_000, "2600"],
    [2, 1999, "1"],
    [5, -60_000, "5"],
    [4_294_967_295, 0, "4294967295"],
  ])("%d s after %d ms: %s s are left (S-12)", (messageExpiryInterval, afterMs, left) => {
    const translation = translate({ properties: { messageExpiryInterval } }, {}, afterMs);
    expect(textsOf(messageOf(translation).headers)).toEqual([
      ["Message Expiry Interval", left],
      TOPIC,
    ]);
  });

  test.each([
    [1, 1000],
    [3600, 4_000_000],
    [0, 0],
  ])(
    "%d s after %d ms: expired, whether copied or not (S-12)",
    (messageExpiryInterval, afterMs) => {
      for (const copyMqttProperties of [true, false]) {
        const properties = { messageExpiryInterval };
        expect(translate({ properties }, { copyMqttProperties }, afterMs)).toEqual({
          kind: "expired",
        });
      }
    },
  );
});

describe("publishToRecord() and partitions", () => {
  const property = (name: string): PartitionStrategy => ({ kind: "Property", property: name });
  const properties: PublishProperties = {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 60,
    responseTopic: "answers",
    correlationData: bytes(0xff, 1),
    contentType: "text/plain",
    userProperties: [
      ["device-id", "7"],
      ["device-id", "8"],
      ["Response Topic", "mine"],
      ["empty", ""],
    ],
  };
  const roundRobin = { by: "roundRobin" };
  const byKey = { by: "key" };
  const cases: { strategy: PartitionStrategy; key: Uint8Array | null; partitioning: object }[] = [
    { strategy: { kind: "Default" }, key: null, partitioning: roundRobin },
    { strategy: { kind: "Static" }, key: null, partitioning: { by: "instance", instance: 3 } },
    { strategy: { kind: "Topic" }, key: utf8("plant/7/temperature"), partitioning: byKey },
    { strategy: property("device-id"), key: utf8("7"), partitioning: byKey },
    { strategy: property("empty"), key: bytes(), partitioning: byKey },
    { strategy: property("Content Type"), key: utf8("text/plain"), partitioning: byKey },
    { strategy: property("Payload Format Indicator"), key: utf8("1"), partitioning: byKey },
    { strategy: property("Message Expiry Interval"), key: utf8("58"), partitioning: byKey },
    { strategy: property("Correlation Data"), key: bytes(0xff, 1), partitioning: byKey },
    { strategy: property("Response Topic"), key: utf8("mine"), partitioning: byKey },
    { strategy: property("constructor"), key: null, partitioning: roundRobin },
    { strategy: property("MQTT Topic"), key: null, partitioning: roundRobin },
  ];
  test.each(cases)(
    "$strategy: key $key, $partitioning (S-13)",
    ({ strategy, key, partitioning }) => {
      for (const copyMqttProperties of [true, false]) {
        const route = { partitionStrategy: strategy, copyMqttProperties };
        const record = messageOf(translate({ properties }, route, 2000));
        expect(record).toMatchObject({ key, partitioning });
      }
    },
  );
});

describe("publishToRecord() over anything", () => {
  const anyRoute = fc
    .record({
      copyMqttProperties: fc.boolean(),
      cloudEvents: fc.constantFrom("None", "Propagate", "CreateOrRemap"),
      cloudEventsPrefix: fc.constantFrom("ce_", "ce-"),
      kafkaTopic: fc.constantFrom("t", variable("inputTopic"), variable("inputTopic.1")),
      partitionStrategy: fc.constantFrom<PartitionStrategy[]>(
        { kind: "Default" },
        { kind: "Topic" },
        { kind: "Property", property: "Key" },
      ),
    } as const)
    .map((over) => mqttToKafkaRoute(over));
  const wild: fc.Arbitrary<Publish> = fc
    .tuple(anyPublish, fc.string({ unit: "binary" }))
    .map(([publish, topicName]) => ({ ...publish, topicName: `${topicName}\ud800` }));

  test("never throws, and every header is bytes (S-10)", () => {
    fc.assert(
      fc.property(fc.oneof(anyPublish, wild), anyRoute, (publish, route) => {
        const received = { publish, receivedAt: WRITTEN };
        const translation = publishToRecord(route, 0)(received, contextAt());
        if (translation.kind !== "translated") return;
        for (const [, value] of translation.message.headers)
          expect(value).toBeInstanceOf(Uint8Array);
      }),
      { numRuns: 500 },
    );
  });
});
