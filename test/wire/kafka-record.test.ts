import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KafkaHeader } from "../../shared/model/kafka-record.ts";
import { crc32c } from "../../shared/wire/kafka-crc32c.ts";
import { decodeRecordSet } from "../../shared/wire/kafka-record-decoder.ts";
import { type BatchRecord, encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";

const NOW = 1_700_000_000_000;
const text = (value: string): Buffer => Buffer.from(value);

const settings = { now: NOW, codec: 0 };

const from = {
  topic: "topic",
  partition: 3,
  decompress: (): Uint8Array => {
    throw new Error("nothing is compressed here");
  },
};

function encode(records: readonly BatchRecord[]): Buffer {
  return Buffer.from(encodeRecordBatch(records, settings));
}

function decode(set: Buffer) {
  const decoded = decodeRecordSet(set, from);
  if (decoded.problem !== undefined) throw new Error(decoded.problem.reason);
  return decoded.batches.flatMap((batch) => batch.records);
}

const record = (over: Partial<BatchRecord> = {}): BatchRecord => ({
  key: null,
  value: text("v"),
  headers: [],
  ...over,
});

const plain = (bytes: Uint8Array | null): number[] | null => (bytes === null ? null : [...bytes]);
const comparable = (headers: readonly KafkaHeader[]) =>
  headers.map(([name, value]) => [name, plain(value)]);

describe("crc32c()", () => {
  test.each([
    ["", 0],
    ["123456789", 0xe3069283],
    ["The quick brown fox jumps over the lazy dog", 0x22620404],
  ])("of %j is the published value", (input, expected) => {
    expect(crc32c(text(input))).toBe(expected);
  });
});

describe("record batches", () => {
  const cases: { name: string; headers: KafkaHeader[] }[] = [
    { name: "no headers", headers: [] },
    {
      name: "duplicates, interleaved",
      headers: [
        ["a", text("1")],
        ["b", text("2")],
        ["a", text("3")],
      ],
    },
    {
      name: "a null value and an empty one",
      headers: [
        ["n", null],
        ["e", text("")],
      ],
    },
    {
      name: "names that plain objects trip over",
      headers: [
        ["constructor", text("1")],
        ["__proto__", text("2")],
        ["10", text("3")],
        ["9", text("4")],
      ],
    },
    { name: "an empty name", headers: [["", text("x")]] },
    { name: "bytes that are no text", headers: [["b", Buffer.from([0xff, 0x00, 0xc3])]] },
  ];

  test.each(cases)("keep $name [S-10]", ({ headers }) => {
    const [back] = decode(encode([record({ headers })]));
    expect(comparable(back?.headers ?? [])).toEqual(comparable(headers));
  });

  test("keep keys, values, tombstones, times and the order of records", () => {
    const records = [
      record({ key: text("k"), value: null, timestamp: NOW + 5 }),
      record({ key: text(""), value: text(""), timestamp: NOW - 90 * 86_400_000 }),
      record({ value: Buffer.alloc(100_000, 7) }),
    ];
    const back = decode(encode(records));
    expect(back.map((r) => [r.offset, r.timestamp, plain(r.key), r.value?.length])).toEqual([
      [0n, NOW + 5, [107], undefined],
      [1n, NOW - 90 * 86_400_000, [], 0],
      [2n, NOW, null, 100_000],
    ]);
    expect(back.every((r) => r.topic === "topic" && r.partition === 3)).toBe(true);
  });

  test("are read one after the other; one cut off at the end is left for the next fetch", () => {
    const whole = Buffer.concat([encode([record()]), encode([record(), record()])]);
    expect(decode(whole)).toHaveLength(3);
    expect(decode(whole.subarray(0, whole.length - 1))).toHaveLength(1);
  });

  test.each([
    ["a flipped bit", (b: Buffer) => b.writeUInt8((b[70] ?? 0) ^ 1, 70), "checksum"],
    ["an unknown format", (b: Buffer) => b.writeInt8(9, 16), "unknown format 9"],
    ["a length below the header's", (b: Buffer) => b.writeInt32BE(20, 8), "shorter"],
    ["a length of nothing", (b: Buffer) => b.writeInt32BE(3, 8), "too small"],
    ["a negative length", (b: Buffer) => b.writeInt32BE(-30, 8), "too small"],
  ])("with %s are a problem, not an exception", (_, spoil, problem) => {
    const batch = encode([record({ headers: [["h", text("v")]] })]);
    spoil(batch);
    expect(decodeRecordSet(batch, from)).toMatchObject({
      batches: [],
      problem: { offset: 0n, reason: expect.stringContaining(problem) },
    });
  });

  test("with LogAppendTime carry the broker's time", () => {
    const batch = encode([record({ timestamp: NOW }), record({ timestamp: NOW + 9 })]);
    batch.writeInt16BE(0x8, 21);
    batch.writeUInt32BE(crc32c(batch, 21), 17);
    expect(decode(batch).map((r) => r.timestamp)).toEqual([NOW + 9, NOW + 9]);
  });

  test("round trip whatever records hold", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const header = fc.tuple(fc.string({ unit: "grapheme" }), fc.option(bytes));
    const arbitrary = fc.record({
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.array(header, { maxLength: 6 }),
      timestamp: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { minLength: 1, maxLength: 20 }), (records) => {
        const back = decode(encode(records));
        expect(
          back.map((r) => [r.timestamp, plain(r.key), plain(r.value), comparable(r.headers)]),
        ).toEqual(
          records.map((r) => [r.timestamp, plain(r.key), plain(r.value), comparable(r.headers)]),
        );
      }),
    );
  });

  test("decoding is total over any bytes, also behind a right checksum", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 61, maxLength: 400 }), (noise) => {
        const set = Buffer.from(noise);
        decodeRecordSet(set, from);
        set.writeInt32BE(set.length - 12, 8);
        set.writeInt8(2, 16);
        set.writeInt16BE(0, 21);
        set.writeUInt32BE(crc32c(set, 21), 17);
        const decoded = decodeRecordSet(set, from);
        expect(Array.isArray(decoded.batches)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
