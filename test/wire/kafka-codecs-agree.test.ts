import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRecordSet } from "../../shared/wire/kafka-record-decoder.ts";
import { encodeRecordBatch } from "../../shared/wire/kafka-record-encoder.ts";
import type { DecodeSettings } from "../../shared/wire/kafka-record-set.ts";
import {
  batchByKafkajs,
  headersOf,
  messageSetByKafkajs,
  type PlainMessage,
  readByKafkajs,
} from "../support/kafkajs-codec.ts";

const NOW = 1_700_000_000_000;
const settings: DecodeSettings = {
  topic: "t",
  partition: 1,
  decompress: (_, bytes) => gunzipSync(bytes),
};

const bytes = fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b));
/** What an object can hold: names that are unique and no numbers, values that are text. */
const headers = fc.dictionary(
  fc.string({ minLength: 1 }).map((s) => `h${s}`),
  fc.string(),
  {
    noNullPrototype: true,
  },
);
const messages = fc.array(fc.record({ key: fc.option(bytes), value: fc.option(bytes), headers }), {
  minLength: 1,
  maxLength: 12,
});

const read = (set: Uint8Array) => {
  const { batches, problem } = decodeRecordSet(set, settings);
  expect(problem).toBeUndefined();
  return batches.flatMap((batch) => batch.records);
};

const hex = (value: Uint8Array | null): string | null =>
  value === null ? null : Buffer.from(value).toString("hex");

describe("our codec and kafkajs' own", () => {
  test.each([
    ["plain", 0],
    ["gzip", 1],
  ])("agree on batches that kafkajs wrote: %s", async (_, compression) => {
    await fc.assert(
      fc.asyncProperty(messages, async (written) => {
        const set = await batchByKafkajs(written, { timestamp: NOW, compression });
        const back = read(set).map((r) => [hex(r.key), hex(r.value), headersOf(r.headers)]);
        expect(back).toEqual(written.map((m) => [hex(m.key), hex(m.value), m.headers]));
      }),
      { numRuns: 50 },
    );
  });

  test("agree on batches that we wrote", async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.boolean(), async (written, zipped) => {
        const records = written.map(({ key, value, headers: given }, i) => ({
          key,
          value,
          timestamp: NOW + i,
          headers: Object.entries(given).map(([n, v]) => [n, Buffer.from(v)] as const),
        }));
        const batch = encodeRecordBatch(records, {
          now: NOW,
          codec: zipped ? 1 : 0,
          ...(zipped ? { compress: gzipSync } : {}),
        });
        const back = await readByKafkajs(batch);
        const found = back.map((m) => [
          hex(m.key),
          hex(m.value),
          Object.fromEntries(Object.entries(m.headers ?? {}).map(([n, v]) => [n, v.toString()])),
          Number(m.timestamp),
        ]);
        expect(found).toEqual(
          written.map((m, i) => [hex(m.key), hex(m.value), m.headers, NOW + i]),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("messages older than record batches", () => {
  const entries: PlainMessage[] = [
    { key: Buffer.from("k"), value: Buffer.from("one"), timestamp: NOW },
    { key: null, value: Buffer.from("two"), timestamp: NOW + 1 },
    { key: null, value: null, timestamp: NOW + 2 },
  ];
  const content = (set: Uint8Array) =>
    read(set).map((r) => [r.offset, r.timestamp, hex(r.key), hex(r.value), r.headers.length]);

  test("of format 1 are read with their times", () => {
    expect(content(messageSetByKafkajs(1, entries, { counted: false }))).toEqual([
      [-1n, NOW, hex(Buffer.from("k")), hex(Buffer.from("one")), 0],
      [-1n, NOW + 1, null, hex(Buffer.from("two")), 0],
      [-1n, NOW + 2, null, null, 0],
    ]);
  });

  test("of format 0 have none", () => {
    expect(content(messageSetByKafkajs(0, entries, { counted: false }))[0]).toEqual([
      -1n,
      -1,
      hex(Buffer.from("k")),
      hex(Buffer.from("one")),
      0,
    ]);
  });

  /** The compressed set as the value of one message, whose offset is that of the last one within. */
  function wrapped(version: 0 | 1, offset: bigint): Buffer {
    const inner = messageSetByKafkajs(version, entries, { counted: true });
    const outer = { key: null, value: gzipSync(inner), timestamp: NOW, compression: 1 };
    const set = Buffer.from(
      messageSetByKafkajs(version, [outer as PlainMessage], { counted: true }),
    );
    set.writeBigInt64BE(offset, 0);
    return set;
  }

  test("compressed in format 1 have offsets up to that of their wrapper", () => {
    expect(content(wrapped(1, 41n)).map(([offset]) => offset)).toEqual([39n, 40n, 41n]);
  });

  test("compressed in format 0 have their own offsets", () => {
    expect(content(wrapped(0, 2n)).map(([offset]) => offset)).toEqual([0n, 1n, 2n]);
  });

  test("may be followed by record batches", async () => {
    const newer = await batchByKafkajs([{ key: null, value: Buffer.from("new") }], {
      timestamp: NOW,
    });
    const older = messageSetByKafkajs(1, entries, { counted: false });
    expect(content(Buffer.concat([older, newer]))).toHaveLength(4);
  });

  test.each([0, 1] as const)(
    "of format %s are read totally: any change is a problem or another record",
    (version) => {
      const good = wrapped(version, 2n);
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
          const spoilt = Buffer.from(good);
          spoilt[at] = (spoilt[at] ?? 0) ^ by;
          const { batches, problem } = decodeRecordSet(spoilt, settings);
          expect(Array.isArray(batches)).toBe(true);
          if (at >= 16) expect(problem?.reason ?? "").not.toBe("");
        }),
      );
    },
  );
});
