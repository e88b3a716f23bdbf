import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordsFromKafkaTrigger } from "../../shared/translate/kafka-trigger.ts";
import { bytesFromBase64 } from "../../shared/translate/trigger-base64.ts";
import { integerFromTrigger } from "../../shared/translate/trigger-integer.ts";
import { timeFromTrigger } from "../../shared/translate/trigger-time.ts";
import { bytes } from "../support/memory-ports.ts";
import { triggerFixture } from "../support/trigger-fixture.ts";

const plain = (value: Uint8Array | null): number[] | null => (value === null ? null : [...value]);

function decode(name: string, topic?: string): ReturnType<typeof recordsFromKafkaTrigger> {
  const { payload, triggerMetadata } = triggerFixture(name);
  return recordsFromKafkaTrigger(payload, triggerMetadata, topic);
}

describe("recordsFromKafkaTrigger()", () => {
  test("reads coordinates, times and values as they were", () => {
    const { records, problems } = decode("kafka-many");
    expect(problems).toEqual([]);
    expect(
      records.map((r) => [r.topic, r.partition, r.offset, r.timestamp, plain(r.value)]),
    ).toEqual([
      ["factory-f1-line1", 0, 41n, Date.UTC(2026, 7, 26, 7, 0, 0, 123), [...bytes('{"t":21}')]],
      ["factory-f1-line1", 0, 42n, Date.UTC(2026, 7, 26, 7, 0, 0, 124), [0, 255, 128]],
      ["factory-f1-line1", 0, 43n, Date.UTC(2026, 7, 26, 7, 0, 0, 0), []],
      ["factory-f1-line1", 0, 44n, Date.UTC(2026, 7, 26, 7, 0, 1, 500), []],
    ]);
  });

  test("a null key stays null, an empty key empty, bytes bytes", () => {
    const keys = decode("kafka-many").records.map(({ key }) => plain(key));
    expect(keys).toEqual([[...bytes("machine-7")], null, [0, 255], []]);
  });

  test("headers keep their order, duplicates, null values and bytes (S-20)", () => {
    const headers = decode("kafka-many").records.map((r) =>
      r.headers.map(([name, value]) => [name, plain(value)]),
    );
    expect(headers).toEqual([
      [
        ["MQTT Topic", [...bytes("factory/line1")]],
        ["unit", [...bytes("°C")]],
        ["unit", [...bytes("K")]],
      ],
      [],
      [
        ["empty", []],
        ["none", null],
        ["binary", [0xa1, 3, 0x62, 0x61, 0x72]],
      ],
      [],
    ]);
  });

  test("64-bit offsets in two halves are exact past 2^53", () => {
    const { records, problems } = decode("kafka-many-long");
    expect(problems).toEqual([]);
    expect(records.map(({ offset }) => offset)).toEqual([
      7n,
      4_294_967_295n,
      9_007_199_254_740_993n,
    ]);
    expect(records.map(({ partition }) => partition)).toEqual([2, 2, 2]);
  });

  test("a topic that the worker has parsed as JSON is text again", () => {
    expect(decode("kafka-many-long").records[0]?.topic).toBe("123");
  });

  test("the registered topic wins over the parsed one: 1e3 arrives as 1000", () => {
    const { payload, triggerMetadata } = triggerFixture("kafka-many-long");
    const metadata = { ...triggerMetadata, topicArray: [1000, 1000, 1000] };
    expect(recordsFromKafkaTrigger(payload, metadata, "1e3").records[0]?.topic).toBe("1e3");
  });

  const broken = [
    { name: "no list of values", payload: "text", metadata: {}, field: "payload" },
    { name: "a value that is text", payload: ["text"], metadata: {}, field: "payload[0]" },
    {
      name: "a list that lost an entry",
      metadata: { partitionArray: [0, 1] },
      field: "partitionArray",
    },
    {
      name: "a list that is none",
      metadata: { offsetArray: "1" },
      field: "offsetArray",
    },
    {
      name: "an offset that is no integer",
      metadata: { offsetArray: [1.5] },
      field: "offsetArray[0]",
    },
    {
      name: "an offset past 2^53 that has lost digits",
      metadata: { offsetArray: [2 ** 53] },
      field: "offsetArray[0]",
    },
    { name: "no partition", metadata: { partitionArray: undefined }, field: "partitionArray[0]" },
    { name: "no topic", metadata: { topicArray: [null] }, field: "topicArray[0]" },
    { name: "an empty topic", metadata: { topicArray: [""] }, field: "topicArray[0]" },
  ];
  test.each(broken)("$name is an error and no record", ({ payload, metadata, field }) => {
    const whole = { topicArray: ["t"], partitionArray: [0], offsetArray: [1], ...metadata };
    const decoded = recordsFromKafkaTrigger(payload ?? [Buffer.from("v")], whole);
    expect(decoded.records).toEqual([]);
    expect(decoded.problems.map((p) => [p.field, p.severity])).toContainEqual([field, "error"]);
  });

  const partly = [
    { name: "a time that is none", metadata: { timestampArray: ["yesterday"] }, timestamp: -1 },
    { name: "a key that is no Base64", metadata: { keyArray: ["schlüssel"] }, key: "schlüssel" },
    { name: "a key that is a number", metadata: { keyArray: [5] }, key: "5" },
    { name: "headers that are no list", metadata: { headersArray: [{}] } },
    { name: "a header without a name", metadata: { headersArray: [[{ value: "YQ==" }, null]] } },
    {
      name: "a header that is no Base64",
      metadata: { headersArray: [[{ key: "h", value: "x" }]] },
      headers: [["h", [120]]],
    },
  ];
  test.each(partly)("$name is a warning and the record goes on", (row) => {
    const { metadata, timestamp = -1, key = null, headers = [] } = row;
    const whole = { topicArray: ["t"], partitionArray: [0], offsetArray: [1], ...metadata };
    const { records, problems } = recordsFromKafkaTrigger([Buffer.from("v")], whole);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every(({ severity }) => severity === "warning")).toBe(true);
    expect(records.map((r) => r.timestamp)).toEqual([timestamp]);
    expect(plain(records[0]?.key ?? null)).toEqual(key === null ? null : [...bytes(key)]);
    expect(records[0]?.headers.map(([n, v]) => [n, plain(v)])).toEqual(headers);
  });

  test("is total: never throws, and counts every value as a record or an error", () => {
    const list = fc.oneof(fc.anything(), fc.array(fc.anything(), { maxLength: 4 }));
    const payload = fc.array(fc.oneof(fc.uint8Array(), fc.anything()), { maxLength: 4 });
    const metadata = fc.record(
      {
        topicArray: list,
        partitionArray: list,
        offsetArray: list,
        timestampArray: list,
        keyArray: list,
        headersArray: list,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(payload, fc.oneof(metadata, fc.anything()), (values, fields) => {
        const { records, problems } = recordsFromKafkaTrigger(values, fields);
        const lost = problems.filter((p) => p.severity === "error" && p.index !== undefined);
        expect(records.length + lost.length).toBe(values.length);
      }),
    );
  });
});

describe("the shapes that a trigger uses", () => {
  test("every 64-bit integer survives its two halves", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const low = Number(BigInt.asIntN(32, value));
        const high = Number(BigInt.asIntN(32, value >> 32n));
        expect(integerFromTrigger({ low, high, unsigned: false })).toBe(value);
        expect(integerFromTrigger({ low, high, unsigned: true })).toBe(BigInt.asUintN(64, value));
        expect(integerFromTrigger(value)).toBe(value);
        expect(integerFromTrigger(String(value))).toBe(value);
      }),
    );
  });

  test.each([
    null,
    undefined,
    "",
    "1e3",
    "0x10",
    true,
    Number.NaN,
    {},
    { low: 1 },
    { low: 2 ** 31, high: 0 },
  ])("%j is no integer", (value) => {
    expect(integerFromTrigger(value)).toBeUndefined();
  });

  test("every time survives, with and without a zone, to the millisecond", () => {
    const time = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(time, (ms) => {
        const text = new Date(ms).toISOString();
        expect(timeFromTrigger(text)).toBe(ms);
        expect(timeFromTrigger(text.slice(0, -1))).toBe(ms);
        expect(timeFromTrigger(`${text.slice(0, -1)}9999Z`)).toBe(ms);
      }),
    );
  });

  test.each([
    ["2026-08-26T09:30:00+02:30", Date.UTC(2026, 7, 26, 7)],
    ["2026-08-26T04:00:00-0300", Date.UTC(2026, 7, 26, 7)],
    ["2024-02-29 00:00:00", Date.UTC(2024, 1, 29)],
  ])("%s is read with its zone", (text, ms) => {
    expect(timeFromTrigger(text)).toBe(ms);
  });

  test.each([
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01",
    "",
    5,
    null,
    "2026-12-32T00:00:00Z",
  ])("%j is no time", (value) => {
    expect(timeFromTrigger(value)).toBeUndefined();
  });

  test("Base64 gives the bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        expect(bytesFromBase64(Buffer.from(data).toString("base64"))).toEqual(data);
      }),
    );
  });

  test.each([
    "a",
    "ab",
    "abc",
    "a===",
    "ab=c",
    "====",
    "ab c",
    "YWI-",
    "YR==",
    "YWK=",
    "äaaa",
    "Y\u0080==",
  ])("%j is no canonical Base64", (text) => {
    expect(bytesFromBase64(text)).toBeUndefined();
  });
});
