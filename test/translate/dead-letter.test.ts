import { describe, expect, test } from "vitest";
import type { KafkaRecord } from "../../shared/model/kafka-record.ts";
import {
  DEAD_LETTER_PREFIX,
  type DeadLetterReason,
  deadLetterDepth,
  deadLetterOfPublish,
  deadLetterOfRecord,
  escapedName,
} from "../../shared/translate/dead-letter.ts";
import { publishOf } from "../support/publishes.ts";
import { bytes, headersOf, recordOf, utf8, WRITTEN } from "../support/translations.ts";

const WHY: DeadLetterReason = {
  code: "TOPIC_NAME_INVALID",
  reason: "it says why",
  route: "connector/to-mqtt",
  time: WRITTEN,
  attempt: 2,
};

const REASON = headersOf(
  ["isthmus-reason-code", "TOPIC_NAME_INVALID"],
  ["isthmus-reason", "it says why"],
  ["isthmus-route", "connector/to-mqtt"],
  ["isthmus-time", "2026-11-21T08:00:00.000Z"],
  ["isthmus-attempt", "2"],
);

describe("deadLetterOfRecord()", () => {
  test("keeps bytes and headers, and adds where it stood and why it is here (S-54)", () => {
    const headers = headersOf(["a", bytes(0xff)], ["a", null]);
    const record = recordOf({ key: bytes(1), value: null, headers });
    expect(deadLetterOfRecord(record, "dead", WHY)).toEqual({
      topic: "dead",
      key: bytes(1),
      value: null,
      headers: [
        ...headers,
        ...REASON,
        ...headersOf(
          ["isthmus-source", "kafka"],
          ["isthmus-topic", "source"],
          ["isthmus-partition", "0"],
          ["isthmus-offset", "7"],
          ["isthmus-timestamp", String(WRITTEN)],
        ),
      ],
      partitioning: { by: "roundRobin" },
    });
  });

  test("marks every header of ours with the prefix (S-54)", () => {
    const { headers } = deadLetterOfRecord(recordOf(), "dead", WHY);
    for (const [name] of headers) expect(name.startsWith(DEAD_LETTER_PREFIX)).toBe(true);
  });

  test("writes a time that has no date as its number", () => {
    const { headers } = deadLetterOfRecord(recordOf(), "dead", { ...WHY, time: 1e18 });
    expect(headers).toContainEqual(["isthmus-time", utf8("1000000000000000000")]);
  });
});

describe("deadLetterOfPublish()", () => {
  test("keeps payload, properties and User Properties, and adds why it is here (S-54)", () => {
    const publish = publishOf({
      properties: {
        payloadFormatIndicator: 0,
        messageExpiryInterval: 60,
        responseTopic: "answers",
        correlationData: bytes(0xff),
        contentType: "",
        userProperties: [
          ["b", "1"],
          ["a", "2"],
          ["b", "3"],
        ],
      },
    });
    expect(deadLetterOfPublish({ publish, receivedAt: WRITTEN }, "dead", WHY)).toEqual({
      topic: "dead",
      key: null,
      value: publish.payload,
      headers: [
        ...headersOf(["b", "1"], ["a", "2"], ["b", "3"]),
        ...REASON,
        ...headersOf(
          ["isthmus-source", "mqtt"],
          ["isthmus-topic", "plant/7/temperature"],
          ["isthmus-qos", "1"],
          ["isthmus-retain", "false"],
          ["isthmus-received-at", "2026-11-21T08:00:00.000Z"],
          ["isthmus-payload-format-indicator", "0"],
          ["isthmus-message-expiry-interval", "60"],
          ["isthmus-response-topic", "answers"],
          ["isthmus-content-type", ""],
          ["isthmus-correlation-data", bytes(0xff)],
        ),
      ],
      partitioning: { by: "roundRobin" },
    });
  });

  test("has no header for a property that the message does not have (S-54)", () => {
    const received = { publish: publishOf(), receivedAt: WRITTEN };
    expect(deadLetterOfPublish(received, "dead", WHY).headers).toEqual([
      ...REASON,
      ...headersOf(
        ["isthmus-source", "mqtt"],
        ["isthmus-topic", "plant/7/temperature"],
        ["isthmus-qos", "1"],
        ["isthmus-retain", "false"],
        ["isthmus-received-at", "2026-11-21T08:00:00.000Z"],
      ),
    ]);
  });
});

describe("escapedName()", () => {
  test.each([
    ["isthmus-route", "isthmus-escaped-isthmus-route"],
    ["isthmus-replayed", "isthmus-escaped-isthmus-replayed"],
    ["Isthmus-Route", "isthmus-escaped-Isthmus-Route"],
    ["isthmus-", "isthmus-escaped-isthmus-"],
    ["isthmus-escaped-a", "isthmus-escaped-isthmus-escaped-a"],
    ["isthmus", "isthmus"],
    ["my-isthmus-route", "my-isthmus-route"],
    ["", ""],
  ])("%j travels as %j (S-54)", (name, expected) => {
    expect(escapedName(name)).toBe(expected);
  });
});

describe("deadLetterDepth()", () => {
  const letter = (depth: number): KafkaRecord => {
    const record = recordOf({ headers: headersOf(["a", "1"]) });
    if (depth === 0) return record;
    return recordOf({ headers: deadLetterOfRecord(letter(depth - 1), "dead", WHY).headers });
  };

  test.each([0, 1, 2, 8, 9])("of a message dead-lettered %d times is that (S-54)", (depth) => {
    expect(deadLetterDepth(letter(depth).headers)).toBe(depth);
  });
});
