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

/** What was decoded, and each problem as one line. */
function problemsOf({ records, problems }: ReturnType<typeof recordsFromKafkaTrigger>) {
  return {
    records: records.length,
    problems: problems.map(({ severity, index, field, message }) =>
      [severity, ...(index === undefined ? [] : [index]), `${field}: ${message}`].join(" "),
    ),
  };
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

  test("a topic that the worker has parsed as true is text again", () => {
    const metadata = { topicArray: [true], partitionArray: [0], offsetArray: [1] };
    const { records } = recordsFromKafkaTrigger([Buffer.from("v")], metadata);
    expect(records.map(({ topic }) => topic)).toEqual(["true"]);
  });

  const none = { topicArray: undefined, partitionArray: undefined, offsetArray: undefined };
  const broken: { name: string; payload?: unknown; metadata: object; problem: string }[] = [
    {
      name: "no list of values",
      payload: "text",
      metadata: none,
      problem: "payload: Cannot read the batch: expected a list of values, found a string",
    },
    {
      name: "nothing",
      payload: null,
      metadata: none,
      problem: "payload: Cannot read the batch: expected a list of values, found null",
    },
    {
      name: "a value that is text",
      payload: ["text"],
      metadata: {},
      problem: '0 payload[0]: Cannot read record 0: expected bytes in "payload", found a string',
    },
    {
      name: "an offset that is no integer",
      metadata: { offsetArray: [1.5] },
      problem:
        '0 offsetArray[0]: Cannot read record 0: expected an integer in "offsetArray", found a number',
    },
    {
      name: "an offset past 2^53 that has lost digits",
      metadata: { offsetArray: [2 ** 53] },
      problem:
        '0 offsetArray[0]: Cannot read record 0: expected an integer in "offsetArray", found a number',
    },
    {
      name: "no partition",
      metadata: { partitionArray: undefined },
      problem:
        '0 partitionArray[0]: Cannot read record 0: expected an integer in "partitionArray", found nothing',
    },
    {
      name: "a partition that is no integer",
      metadata: { partitionArray: ["x"] },
      problem:
        '0 partitionArray[0]: Cannot read record 0: expected an integer in "partitionArray", found a string',
    },
    {
      name: "no topic",
      metadata: { topicArray: [null] },
      problem:
        '0 topicArray[0]: Cannot read record 0: expected a topic in "topicArray", found null',
    },
    {
      name: "an empty topic",
      metadata: { topicArray: [""] },
      problem:
        '0 topicArray[0]: Cannot read record 0: expected a topic in "topicArray", found a string',
    },
    {
      name: "a topic that is a list",
      metadata: { topicArray: [["t"]] },
      problem:
        '0 topicArray[0]: Cannot read record 0: expected a topic in "topicArray", found a list',
    },
    {
      name: "a topic that is bytes",
      metadata: { topicArray: [Buffer.from("t")] },
      problem:
        '0 topicArray[0]: Cannot read record 0: expected a topic in "topicArray", found bytes',
    },
  ];
  test.each(broken)("$name is an error and no record", ({ payload, metadata, problem }) => {
    const whole = { topicArray: ["t"], partitionArray: [0], offsetArray: [1], ...metadata };
    const values = payload === undefined ? [Buffer.from("v")] : payload;
    expect(problemsOf(recordsFromKafkaTrigger(values, whole))).toEqual({
      records: 0,
      problems: [`error ${problem}`],
    });
  });

  test.each([
    ["lost an entry", [0, 1], "2 entries"],
    ["is none", "1", "a string"],
  ])("a list that %s is an error, and none of its entries are used", (_, partitionArray, found) => {
    const metadata = { topicArray: ["t"], offsetArray: [1], partitionArray };
    expect(problemsOf(recordsFromKafkaTrigger([Buffer.from("v")], metadata))).toEqual({
      records: 0,
      problems: [
        `error partitionArray: Cannot read "partitionArray": expected 1 entries, one for each value, found ${found}`,
        'error 0 partitionArray[0]: Cannot read record 0: expected an integer in "partitionArray", found nothing',
      ],
    });
  });

  const partly: {
    name: string;
    metadata: object;
    warning: string;
    key?: string;
    headers?: [string, string | null][];
  }[] = [
    {
      name: "a time that is none",
      metadata: { timestampArray: ["yesterday"] },
      warning: "timestampArray[0]: Cannot read the time of record 0: expected ISO 8601",
    },
    {
      name: "a key that is no Base64",
      metadata: { keyArray: ["schlüssel"] },
      key: "schlüssel",
      warning: "keyArray[0]: Cannot read the key of record 0 as Base64: taken as text",
    },
    {
      name: "a key that is a number",
      metadata: { keyArray: [5] },
      key: "5",
      warning: "keyArray[0]: Cannot read the key of record 0 as Base64: taken as text",
    },
    {
      name: "a key that is a list",
      metadata: { keyArray: [[]] },
      key: "[]",
      warning: "keyArray[0]: Cannot read the key of record 0 as Base64: taken as text",
    },
    {
      name: "headers that are no list",
      metadata: { headersArray: [{}] },
      warning: "headersArray[0]: Cannot read the headers of record 0: expected a list",
    },
    {
      name: "a header without a name",
      metadata: { headersArray: [[{ value: "YQ==" }, { key: "h", value: "YQ==" }]] },
      headers: [["h", "a"]],
      warning: "headersArray[0]: Cannot read a header of record 0: it has no name",
    },
    {
      name: "a header that is nothing",
      metadata: { headersArray: [[null]] },
      warning: "headersArray[0]: Cannot read a header of record 0: it has no name",
    },
    {
      name: "a header that is no Base64",
      metadata: {
        headersArray: [[{ key: "h", value: "x" }, { key: "n", value: null }, { key: "u" }]],
      },
      headers: [
        ["h", "x"],
        ["n", null],
        ["u", null],
      ],
      warning: "headersArray[0]: Cannot read a header of record 0 as Base64: taken as text",
    },
  ];
  test.each(partly)("$name is a warning and the record goes on", (row) => {
    const { metadata, warning, key, headers = [] } = row;
    const whole = { topicArray: ["t"], partitionArray: [0], offsetArray: [1], ...metadata };
    const decoded = recordsFromKafkaTrigger([Buffer.from("v")], whole);
    expect(problemsOf(decoded)).toEqual({ records: 1, problems: [`warning 0 ${warning}`] });
    const [record] = decoded.records;
    expect(record?.timestamp).toBe(-1);
    expect(plain(record?.key ?? null)).toEqual(key === undefined ? null : [...bytes(key)]);
    expect(record?.headers.map(([n, v]) => [n, plain(v)])).toEqual(
      headers.map(([n, v]) => [n, v === null ? null : [...bytes(v)]]),
    );
  });

  test("times and headers that are null are no problem", () => {
    const lists = { topicArray: ["t"], partitionArray: [0], offsetArray: [1] };
    const metadata = { ...lists, timestampArray: [null], headersArray: [null] };
    expect(problemsOf(recordsFromKafkaTrigger([Buffer.from("v")], metadata))).toEqual({
      records: 1,
      problems: [],
    });
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
    [7, 7n],
    [-1, -1n],
    [9_007_199_254_740_993n, 9_007_199_254_740_993n],
    ["-9223372036854775808", -(2n ** 63n)],
    [{ low: -1, high: -1, unsigned: false }, -1n],
    [{ low: -1, high: -1, unsigned: true }, 2n ** 64n - 1n],
    [{ low: 0, high: 1 }, 4_294_967_296n],
  ])("%o is the integer %o", (value, integer) => {
    expect(integerFromTrigger(value)).toBe(integer);
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

  test("agrees with the calendar of the language on each day of 400 years", () => {
    for (let day = 0; day < 146_097; day += 1) {
      const ms = day * 86_400_000;
      const text = new Date(ms).toISOString();
      if (timeFromTrigger(text) !== ms) expect(`${text} ${timeFromTrigger(text)}`).toBe(text);
    }
  });

  test.each([
    ["2026-08-26T09:30:00+02:30", Date.UTC(2026, 7, 26, 7)],
    ["2026-08-26T04:00:00-0300", Date.UTC(2026, 7, 26, 7)],
    ["2024-02-29 00:00:00", Date.UTC(2024, 1, 29)],
  ])("%s is read with its zone", (text, ms) => {
    expect(timeFromTrigger(text)).toBe(ms);
  });

  test.each<unknown>([
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
    "x2026-08-26T07:00:00Z",
    "2026-08-26T07:00:00Zx",
    ["2026-08-26T07:00:00Z"],
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
