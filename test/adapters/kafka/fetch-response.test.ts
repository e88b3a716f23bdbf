import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import {
  decodeFetchResponse,
  drain,
  type FetchedChunk,
} from "../../../shared/adapters/kafka/fetch-response.ts";
import { BridgeError } from "../../../shared/errors.ts";
import type { KafkaRecord } from "../../../shared/model/kafka-record.ts";
import { crc32c } from "../../../shared/wire/kafka-crc32c.ts";
import { encodeRecordBatch } from "../../../shared/wire/kafka-record-encoder.ts";

const load = createRequire(import.meta.url);
const NOW = 1_700_000_000_000;

interface BatchOptions {
  readonly baseOffset: bigint;
  readonly producerId?: bigint;
  readonly transactional?: boolean;
  readonly ends?: "abort" | "commit";
  /** Offsets that compaction took from the end. */
  readonly compacted?: number;
}

function batch(values: readonly string[], options: BatchOptions): Buffer {
  const control = options.ends !== undefined;
  const key = control ? Buffer.from([0, 0, 0, options.ends === "abort" ? 0 : 1]) : null;
  const records = values.map((value) => ({ key, value: Buffer.from(value), headers: [] }));
  const bytes = Buffer.from(encodeRecordBatch(records, { now: NOW, codec: 0 }));
  bytes.writeBigInt64BE(options.baseOffset, 0);
  bytes.writeInt16BE((options.transactional ? 0x10 : 0) | (control ? 0x30 : 0), 21);
  bytes.writeInt32BE(values.length - 1 + (options.compacted ?? 0), 23);
  bytes.writeBigInt64BE(options.producerId ?? -1n, 43);
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}

interface PartitionOptions {
  readonly set: Buffer;
  readonly aborted?: readonly (readonly [producerId: bigint, firstOffset: bigint])[];
}

function response(version: number, partitions: readonly PartitionOptions[]): Buffer {
  const parts: Buffer[] = [];
  const int = (bytes: 2 | 4, value: number): void => {
    const b = Buffer.alloc(bytes);
    b.writeIntBE(value, 0, bytes);
    parts.push(b);
  };
  const int64 = (value: bigint): void => {
    const b = Buffer.alloc(8);
    b.writeBigInt64BE(value);
    parts.push(b);
  };
  int(4, 7);
  if (version >= 7) {
    int(2, 0);
    int(4, 5);
  }
  int(4, 1);
  int(2, 1);
  parts.push(Buffer.from("t"));
  int(4, partitions.length);
  for (const [partition, { set, aborted = [] }] of partitions.entries()) {
    int(4, partition);
    int(2, 0);
    int64(100n);
    int64(100n);
    if (version >= 5) int64(0n);
    int(4, aborted.length);
    for (const [producerId, firstOffset] of aborted) {
      int64(producerId);
      int64(firstOffset);
    }
    if (version >= 11) int(4, -1);
    int(4, set.length);
    parts.push(set);
  }
  return Buffer.concat(parts);
}

const text = (record: KafkaRecord): string => Buffer.from(record.value ?? []).toString();

function chunkOf(set: Buffer, aborted: PartitionOptions["aborted"] = []) {
  const decoded = decodeFetchResponse(response(11, [{ set, aborted }]), 11);
  return decoded.responses[0]?.partitions[0]?.messages[0];
}

describe("decodeFetchResponse()", () => {
  test.each([4, 5, 6, 7, 8, 9, 10, 11])("reads version %i as kafkajs does", async (version) => {
    const sets = [batch(["a", "b"], { baseOffset: 4n }), Buffer.alloc(0)];
    const raw = response(
      version,
      sets.map((set) => ({ set })),
    );
    const { decode } = load(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as {
      decode(raw: Buffer): Promise<Record<string, unknown>>;
    };
    type Theirs = {
      responses: {
        topicName: string;
        partitions: {
          partition: number;
          errorCode: number;
          highWatermark: string;
          messages: { offset: string; value: Buffer }[];
        }[];
      }[];
    };
    const theirs = (await decode(raw)) as unknown as Theirs & Record<string, unknown>;
    const ours = decodeFetchResponse(raw, version);
    for (const field of [
      "throttleTime",
      "clientSideThrottleTime",
      "errorCode",
      "sessionId",
    ] as const) {
      if (theirs[field] !== undefined) expect(ours[field]).toBe(theirs[field]);
    }
    expect(
      ours.responses.map(({ topicName, partitions }) => [
        topicName,
        partitions.map((p) => [
          p.partition,
          p.errorCode,
          p.highWatermark,
          p.messages.flatMap((m) => drain(m).records.map((r) => [String(r.offset), text(r)])),
        ]),
      ]),
    ).toEqual(
      theirs.responses.map(({ topicName, partitions }) => [
        topicName,
        partitions.map((p) => [
          p.partition,
          p.errorCode,
          p.highWatermark,
          p.messages.map((m) => [m.offset, m.value.toString()]),
        ]),
      ]),
    );
  });

  const cases: {
    name: string;
    set: Buffer[];
    aborted?: PartitionOptions["aborted"];
    want: string[];
    offset: string;
  }[] = [
    {
      name: "committed transactions stay, their marker goes",
      set: [
        batch(["a"], { baseOffset: 0n, producerId: 1n, transactional: true }),
        batch(["marker"], { baseOffset: 1n, producerId: 1n, ends: "commit" }),
        batch(["b"], { baseOffset: 2n }),
      ],
      want: ["a", "b"],
      offset: "2",
    },
    {
      name: "an aborted transaction goes, what the same producer wrote after it stays",
      set: [
        batch(["x", "y"], { baseOffset: 0n, producerId: 1n, transactional: true }),
        batch(["marker"], { baseOffset: 2n, producerId: 1n, ends: "abort" }),
        batch(["a"], { baseOffset: 3n, producerId: 1n, transactional: true }),
        batch(["marker"], { baseOffset: 4n, producerId: 1n, ends: "commit" }),
      ],
      aborted: [[1n, 0n]],
      want: ["a"],
      offset: "4",
    },
    {
      name: "what others wrote meanwhile stays",
      set: [
        batch(["x"], { baseOffset: 0n, producerId: 1n, transactional: true }),
        batch(["a"], { baseOffset: 1n, producerId: 2n, transactional: true }),
        batch(["b"], { baseOffset: 2n }),
      ],
      aborted: [[1n, 0n]],
      want: ["a", "b"],
      offset: "2",
    },
    {
      name: "two aborted transactions that began before the fetch both go",
      set: [
        batch(["y"], { baseOffset: 10n, producerId: 2n, transactional: true }),
        batch(["x"], { baseOffset: 11n, producerId: 1n, transactional: true }),
      ],
      aborted: [
        [1n, 3n],
        [2n, 5n],
      ],
      want: [],
      offset: "11",
    },
    {
      name: "offsets that compaction took from the end are passed over",
      set: [batch(["a"], { baseOffset: 5n, compacted: 4 })],
      want: ["a"],
      offset: "9",
    },
  ];

  test.each(cases)("$name", ({ set, aborted, want, offset }) => {
    const chunk = chunkOf(Buffer.concat(set), aborted);
    expect(chunk).toMatchObject({ offset, isControlRecord: want.length === 0 });
    expect(drain(chunk as FetchedChunk).records.map(text)).toEqual(want);
  });

  test("what can be read before a spoilt batch is handed on first, the problem by itself", () => {
    const spoilt = batch(["b"], { baseOffset: 1n });
    spoilt.writeUInt8(0xff, spoilt.length - 1);
    const good = batch(["a"], { baseOffset: 0n, compacted: 0 });
    const problem = { offset: 1n, reason: "the checksum of a record batch is wrong" };
    const first = drain(chunkOf(Buffer.concat([good, spoilt])) as FetchedChunk);
    expect({ ...first, records: first.records.map(text) }).toEqual({ offset: "0", records: ["a"] });
    expect(drain(chunkOf(spoilt) as FetchedChunk)).toMatchObject({ records: [], problem });
    const chunk = chunkOf(Buffer.concat([good, spoilt]));
    expect(chunk?.next()?.records.map(text)).toEqual(["a"]);
    expect(chunk?.next()).toBeUndefined();
    expect(chunk?.problem, "found when it is come to").toEqual(problem);
  });

  test("records are decoded when they are asked for: batches of one together, large ones alone", () => {
    const singles = Array.from({ length: 300 }, (_, i) =>
      batch([`${i}`], { baseOffset: BigInt(i) }),
    );
    const many = Array.from({ length: 400 }, (_, i) => `m${i}`);
    const chunk = chunkOf(Buffer.concat([...singles, batch(many, { baseOffset: 300n })]));
    const runs = [chunk?.next(), chunk?.next(), chunk?.next()];
    expect(runs.map((run) => [run?.records.length, run?.lastOffset])).toEqual([
      [256, 255n],
      [444, 699n],
      [undefined, undefined],
    ]);
    expect(chunk?.problem).toBeUndefined();
  });

  test("a codec that is not to be had here is named", () => {
    const unknown = batch(["a"], { baseOffset: 0n });
    unknown.writeInt16BE(7, 21);
    unknown.writeUInt32BE(crc32c(unknown, 21), 17);
    expect(drain(chunkOf(unknown) as FetchedChunk).problem).toMatchObject({
      reason: "compression codec 7 is not known",
      cause: expect.any(BridgeError),
    });
  });
});

describe("a Fetch response of a hostile broker", () => {
  test("cannot send the reader back, round and round", () => {
    const raw = Buffer.alloc(64);
    raw.writeInt32BE(0x7fffffff, 4);
    // a name of -6 bytes would lead to the very same place
    raw.writeInt16BE(-6, 14);
    expect(() => decodeFetchResponse(raw, 4)).toThrow(RangeError);
  });
});
