import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordsFromEventHubsTrigger } from "../../shared/translate/event-hubs-trigger.ts";
import { bytes } from "../support/memory-ports.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";

const words = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value);

function decode(name: string): ReturnType<typeof recordsFromEventHubsTrigger> {
  const { payload, triggerMetadata } = triggerFixture(name);
  return recordsFromEventHubsTrigger(payload, triggerMetadata);
}

describe("recordsFromEventHubsTrigger()", () => {
  test("topic is the event hub, offset the sequence number, timestamp the enqueued time in UTC", () => {
    const { records, problems } = decode("event-hubs-many");
    expect(problems).toEqual([]);
    expect(records.map((r) => [r.topic, r.partition, r.offset, r.timestamp])).toEqual([
      ["telemetry", 3, 17n, Date.UTC(2026, 7, 26, 7, 0, 0, 123)],
      ["telemetry", 3, 18n, Date.UTC(2026, 7, 26, 7, 0, 0, 123)],
      ["telemetry", 3, 19n, Date.UTC(2026, 7, 26, 7, 0, 1, 0)],
    ]);
  });

  test("bodies are bytes, and empty ones stay in their place", () => {
    const values = decode("event-hubs-many").records.map(({ value }) => [...(value ?? [])]);
    expect(values).toEqual([[123, 125], [], [255, 0]]);
  });

  test("the key is the event's own although partitionKeyArray has shifted", () => {
    expect(decode("event-hubs-many").records.map(({ key }) => words(key))).toEqual([
      null,
      "123",
      null,
    ]);
  });

  test("AMQP types arrive as text, after the properties that the Kafka endpoint shows (S-22)", () => {
    const [first] = decode("event-hubs-many").records;
    expect(first?.headers.map(([name, value]) => [name, words(value)])).toEqual([
      ["message-id", "m-1"],
      ["content-type", "application/json; charset=utf-8"],
      ["text", "bar"],
      ["count", "12"],
      ["temperature", "11.9"],
      ["on", "true"],
      ["at", "2026-08-26T06:59:59Z"],
      ["nothing", null],
      ["list", '[1,"two"]'],
      ["map", '{"a":1}'],
      ["looksLikeBase64", "YmFy"],
      ["content-Type", "text/plain"],
      ["MQTT Topic", "factory/line1"],
    ]);
  });

  test("a Kafka producer's key and headers are its bytes, and S-10's names have their capitals", () => {
    const { records, problems } = decode("event-hubs-many-long");
    expect(problems).toEqual([]);
    expect(records.map(({ key }) => [...(key ?? [])])).toEqual([[0, 255, 107], []]);
    expect(records[0]?.headers.map(([name, value]) => [name, [...(value ?? [])]])).toEqual([
      ["unit", [...bytes("°C")]],
      ["Payload Format Indicator", [...bytes("1")]],
      ["raw", [0xa1, 3, 0x62, 0x61, 0x72]],
    ]);
    expect(records[1]?.headers.map(([name, value]) => [name, words(value)])).toEqual([
      ["notBase64", "b"],
    ]);
  });

  test("64-bit sequence numbers in two halves are exact", () => {
    const offsets = decode("event-hubs-many-long").records.map(({ offset }) => offset);
    expect(offsets).toEqual([5n, 6_442_450_944n]);
  });

  test("the sequence number may come from the system properties alone", () => {
    const { payload, triggerMetadata } = triggerFixture("event-hubs-many");
    const { sequenceNumberArray: _, ...rest } = triggerMetadata;
    const { records } = recordsFromEventHubsTrigger(payload, rest);
    expect(records.map(({ offset }) => offset)).toEqual([17n, 18n, 19n]);
  });

  const context = { eventHubName: "hub", partitionId: "0" };
  /** One event of the event hub "hub" with these lists beside it. */
  const decodeOne = (metadata: object): ReturnType<typeof recordsFromEventHubsTrigger> =>
    recordsFromEventHubsTrigger([Buffer.from("v")], {
      partitionContext: context,
      sequenceNumberArray: [1],
      ...metadata,
    });

  const broken: { name: string; payload?: unknown; metadata: object; problem: string }[] = [
    {
      name: "no list of bodies",
      payload: { a: 1 },
      metadata: { sequenceNumberArray: [] },
      problem: "payload: Cannot read the batch: expected a list of values, found an object",
    },
    {
      name: "a body that is text",
      payload: ["text"],
      metadata: {},
      problem: '0 payload[0]: Cannot read event 0: expected bytes in "payload", found a string',
    },
    {
      name: "no partition context",
      metadata: { partitionContext: undefined },
      problem:
        'partitionContext: Cannot read the batch: expected eventHubName and partitionId in "partitionContext", found neither',
    },
    {
      name: "no partition",
      metadata: { partitionContext: { eventHubName: "hub", consumerGroup: "g" } },
      problem:
        'partitionContext: Cannot read the batch: expected eventHubName and partitionId in "partitionContext", found eventHubName, consumerGroup',
    },
    {
      name: "no event hub",
      metadata: { partitionContext: { eventHubName: "", partitionId: "0" } },
      problem:
        'partitionContext: Cannot read the batch: expected eventHubName and partitionId in "partitionContext", found eventHubName, partitionId',
    },
    {
      name: "an event hub that is no text",
      metadata: { partitionContext: { eventHubName: 5, partitionId: "0" } },
      problem:
        'partitionContext: Cannot read the batch: expected eventHubName and partitionId in "partitionContext", found eventHubName, partitionId',
    },
    {
      name: "no sequence number",
      metadata: { sequenceNumberArray: [null] },
      problem:
        '0 sequenceNumberArray[0]: Cannot read event 0: expected an integer in "sequenceNumberArray", found null',
    },
  ];
  test.each(broken)("$name is an error and no record", ({ payload, metadata, problem }) => {
    const whole = { partitionContext: context, sequenceNumberArray: [1], ...metadata };
    const decoded = recordsFromEventHubsTrigger(payload ?? [Buffer.from("v")], whole);
    expect(decoded.records).toEqual([]);
    expect(
      decoded.problems.map(({ severity, index, field, message }) =>
        [severity, ...(index === undefined ? [] : [index]), `${field}: ${message}`].join(" "),
      ),
    ).toEqual([`error ${problem}`]);
  });

  test.each(["enqueuedTimeUtcArray", "propertiesArray", "systemPropertiesArray"])(
    "%s that lost an entry is an error",
    (field) => {
      const message = `Cannot read "${field}": expected 1 entries, one for each value, found 0 entries`;
      expect(decodeOne({ [field]: [] }).problems).toEqual([{ field, message, severity: "error" }]);
    },
  );

  test.each([
    ["the event's own", { systemPropertiesArray: [{ enqueuedTimeUtc: "1970-01-01T00:00:01Z" }] }],
    ["the list's", { enqueuedTimeUtcArray: ["1970-01-01T00:00:01Z"] }],
    [
      "the event's own before the list's",
      {
        systemPropertiesArray: [{ enqueuedTimeUtc: "1970-01-01T00:00:01Z" }],
        enqueuedTimeUtcArray: ["1970-01-01T00:00:02Z"],
      },
    ],
  ])("the enqueued time is %s", (_, metadata) => {
    expect(decodeOne(metadata).records.map(({ timestamp }) => timestamp)).toEqual([1000]);
  });

  test.each([
    [{ partitionKey: "k" }, "k"],
    [{ "x-opt-partition-key": "k" }, "k"],
    [{ partitionKey: "k", "x-opt-partition-key": "other" }, "k"],
    [{ partitionKey: 5 }, "5"],
    [{ "x-opt-kafka-key": "a2V5", partitionKey: "other" }, "key"],
    [{ "x-opt-kafka-key": "no Base64" }, "no Base64"],
    [{ partitionKey: null }, null],
    [{}, null],
  ])("of the system properties %j the key is %j", (system, key) => {
    const { records } = decodeOne({ systemPropertiesArray: [system] });
    expect(records.map((record) => words(record.key))).toEqual([key]);
  });

  test("AMQP properties that Event Hubs shows to Kafka clients come first, in its order (S-22)", () => {
    const shown = {
      "creation-time": "7",
      "content-encoding": "6",
      "content-type": "5",
      "reply-to": "4",
      to: "3",
      "user-id": "2",
      "message-id": 1,
      "correlation-id": "not shown",
    };
    const { records } = decodeOne({
      systemPropertiesArray: [shown],
      propertiesArray: [{ own: "0" }],
    });
    expect(records[0]?.headers.map(([name, value]) => [name, words(value)])).toEqual([
      ["message-id", "1"],
      ["user-id", "2"],
      ["to", "3"],
      ["reply-to", "4"],
      ["content-type", "5"],
      ["content-encoding", "6"],
      ["creation-time", "7"],
      ["own", "0"],
    ]);
  });

  test("a property of the event that is null is left out, of its own a null header", () => {
    const { records } = decodeOne({
      systemPropertiesArray: [{ to: null }],
      propertiesArray: [{ own: null }],
    });
    expect(records[0]?.headers).toEqual([["own", null]]);
  });

  test("an event without any time has timestamp -1", () => {
    const metadata = { partitionContext: context, sequenceNumberArray: [1] };
    const { records } = recordsFromEventHubsTrigger([Buffer.from("v")], metadata, "other");
    expect(records.map(({ topic, timestamp }) => [topic, timestamp])).toEqual([["other", -1]]);
  });

  test("is total: never throws, and counts every body as a record or an error", () => {
    const list = fc.oneof(fc.anything(), fc.array(fc.anything(), { maxLength: 3 }));
    const metadata = fc.record(
      {
        partitionContext: fc.oneof(fc.constant(context), fc.anything()),
        sequenceNumberArray: list,
        enqueuedTimeUtcArray: list,
        propertiesArray: list,
        systemPropertiesArray: list,
      },
      { requiredKeys: ["partitionContext"] },
    );
    const payload = fc.array(fc.oneof(fc.uint8Array(), fc.anything()), { maxLength: 3 });
    fc.assert(
      fc.property(payload, metadata, (values, fields) => {
        const { records, problems } = recordsFromEventHubsTrigger(values, fields);
        const lost = problems.filter((p) => p.severity === "error" && p.index !== undefined);
        const unreadable = problems.some((p) => p.field === "partitionContext");
        expect(records.length + lost.length).toBe(unreadable ? 0 : values.length);
      }),
    );
  });
});
