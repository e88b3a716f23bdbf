import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { ERROR } from "../../../../local/sandbox/kafka/error-codes.ts";
import { MemoryBudget } from "../../../../local/sandbox/kafka/memory-budget.ts";
import { PartitionLog } from "../../../../local/sandbox/kafka/partition-log.ts";
import { type RecordBatch, readRecordBatch } from "../../../../local/sandbox/kafka/record-batch.ts";
import { type BatchFields, batch } from "./batches.ts";

const ANY_SIZE = Number.POSITIVE_INFINITY;
let drops: number;
let budget: MemoryBudget;
let log: PartitionLog;
beforeEach(() => {
  drops = 0;
  budget = new MemoryBudget(64 * 1024 * 1024, () => {
    drops += 1;
  });
  log = new PartitionLog(budget);
});

function stored(fields: BatchFields): RecordBatch {
  const read = readRecordBatch(batch(fields), ANY_SIZE);
  if ("errorCode" in read) throw new Error(`a test made a bad batch: ${read.errorCode}`);
  return read;
}

/** The base offset of each batch in what a read returned. */
function baseOffsets(pieces: readonly Uint8Array[]): number[] {
  const all = Buffer.concat(pieces);
  const offsets: number[] = [];
  for (let at = 0; at < all.length; at += 12 + all.readInt32BE(at + 8)) {
    offsets.push(Number(all.readBigInt64BE(at)));
  }
  return offsets;
}

describe("PartitionLog", () => {
  test("keeps every byte of a batch but its base offset", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1 }), (bodies) => {
        const fresh = new PartitionLog(budget);
        const sent = bodies.map((body) => stored({ body }));
        for (const one of sent) fresh.append(one);
        const got = Buffer.concat(fresh.read(0, ANY_SIZE, true));
        const expected = sent.map(({ bytes }, i) => {
          const copy = Buffer.from(bytes);
          copy.writeBigInt64BE(BigInt(i), 0);
          return copy;
        });
        expect(got.equals(Buffer.concat(expected))).toBe(true);
      }),
    );
  });

  const layouts = fc.record({
    counts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }),
    pick: fc.nat(),
    maxBytes: fc.integer({ min: 0, max: 4000 }),
  });

  /** A log with batches of so many records, and where each batch begins. */
  function filled(counts: readonly number[]): { log: PartitionLog; starts: number[] } {
    const fresh = new PartitionLog(budget);
    const starts = counts.map((count) => {
      const result = fresh.append(stored({ count, body: Buffer.alloc(count * 50) }));
      return "offset" in result ? result.offset : -1;
    });
    return { log: fresh, starts };
  }

  test("offsets count records", () => {
    fc.assert(
      fc.property(layouts, ({ counts }) => {
        const { log: fresh, starts } = filled(counts);
        let next = 0;
        for (const [i, count] of counts.entries()) {
          expect(starts[i]).toBe(next);
          next += count;
        }
        expect(fresh.endOffset).toBe(next);
      }),
    );
  });

  test("a read begins with the batch that holds the offset and takes what fits, whole batches only", () => {
    fc.assert(
      fc.property(layouts, ({ counts, pick, maxBytes }) => {
        const { log: fresh, starts } = filled(counts);
        const offset = pick % fresh.endOffset;
        const wanted = starts.slice(starts.findLastIndex((start) => start <= offset));
        const pieces = fresh.read(offset, maxBytes, true);
        const got = baseOffsets(pieces);
        expect(got).toEqual(wanted.slice(0, got.length));
        const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
        expect(got.length === 1 || bytes <= maxBytes).toBe(true);
        const next = wanted[got.length];
        const nextBytes =
          next === undefined ? ANY_SIZE : (fresh.read(next, 0, true)[0]?.length ?? 0);
        expect(bytes + nextBytes).toBeGreaterThan(maxBytes);
      }),
    );
  });

  test("a read at the end finds nothing", () => {
    log.append(stored({ count: 3 }));
    expect(log.read(3, ANY_SIZE, true)).toEqual([]);
  });

  test("without the first batch at any size, a limit below it returns nothing", () => {
    log.append(stored({ body: Buffer.alloc(1000) }));
    expect(log.read(0, 100, false)).toEqual([]);
    expect(baseOffsets(log.read(0, 100, true))).toEqual([0]);
  });

  test("reads across segments, in one go", () => {
    for (let i = 0; i < 100; i += 1) log.append(stored({ body: Buffer.alloc(5000) }));
    expect(baseOffsets(log.read(0, ANY_SIZE, true))).toHaveLength(100);
  });

  test("finds the first batch of a time", () => {
    for (const maxTimestamp of [100, 300, 200, 400]) log.append(stored({ maxTimestamp }));
    const base = (timestamp: number) => log.batchSince(timestamp)?.readBigInt64BE(0);
    expect([base(50), base(150), base(301), base(401)]).toEqual([0n, 1n, 3n, undefined]);
    log.deleteBefore(2);
    expect(base(50)).toBe(2n);
  });

  test("tells listeners the bytes of each batch until they are gone", () => {
    const heard: number[] = [];
    const stop = log.onAppend((bytes) => heard.push(bytes));
    log.append(stored({ body: Buffer.alloc(39) }));
    stop();
    log.append(stored({}));
    expect(heard).toEqual([100]);
  });

  test("deleting records moves the start within the log, never back, and frees whole segments", () => {
    for (let i = 0; i < 100; i += 1) log.append(stored({ body: Buffer.alloc(5000) }));
    const before = budget.used;
    log.deleteBefore(90);
    log.deleteBefore(10);
    expect([log.startOffset, log.endOffset]).toEqual([90, 100]);
    expect(budget.used).toBeLessThan(before);
    log.deleteBefore(1000);
    expect([log.startOffset, log.endOffset, budget.used]).toEqual([100, 100, 0]);
  });

  test("a removed log frees its memory and wakes who waits", () => {
    log.append(stored({}));
    let woken = false;
    log.onAppend(() => {
      woken = true;
    });
    log.remove();
    expect([woken, log.isRemoved, budget.used]).toEqual([true, true, 0]);
  });
});

describe("MemoryBudget", () => {
  test("stays below its limit by dropping the oldest of all logs, and says so once", () => {
    const limit = 1_000_000;
    budget = new MemoryBudget(limit, () => {
      drops += 1;
    });
    const idle = new PartitionLog(budget);
    const busy = new PartitionLog(budget);
    idle.append(stored({ body: Buffer.alloc(1000) }));
    for (let i = 0; i < 5000; i += 1) {
      busy.append(stored({ body: Buffer.alloc(1000) }));
      expect(budget.used).toBeLessThanOrEqual(limit * 1.1);
    }
    expect(drops).toBe(1);
    expect(budget.dropped).toBeGreaterThan(10);
    expect([idle.startOffset, idle.endOffset]).toEqual([1, 1]);
    expect(busy.endOffset).toBe(5000);
    const kept = baseOffsets(busy.read(busy.startOffset, ANY_SIZE, true));
    expect(kept[0]).toBe(busy.startOffset);
    expect(kept.at(-1)).toBe(4999);
    expect(kept.length * 1061).toBeGreaterThan(limit / 2);
  });

  test("one batch larger than all of it is kept until the next", () => {
    const tiny = new PartitionLog(new MemoryBudget(1000, () => {}));
    tiny.append(stored({ body: Buffer.alloc(5000) }));
    expect(baseOffsets(tiny.read(0, ANY_SIZE, true))).toEqual([0]);
    tiny.append(stored({ body: Buffer.alloc(5000) }));
    expect(tiny.startOffset).toBe(1);
  });
});

describe("idempotent producers", () => {
  const send = (baseSequence: number, changes: BatchFields = {}) =>
    log.append(stored({ producerId: 7, producerEpoch: 0, baseSequence, count: 2, ...changes }));

  test("what was written is not written again, up to five batches back", () => {
    for (let i = 0; i < 6; i += 1) send(i * 2);
    expect(send(10)).toEqual({ offset: 10 });
    expect(send(2)).toEqual({ offset: 2 });
    expect(send(0)).toEqual({ errorCode: ERROR.outOfOrderSequence });
    expect(log.endOffset).toBe(12);
  });

  test("a gap is refused", () => {
    send(0);
    expect(send(4)).toEqual({ errorCode: ERROR.outOfOrderSequence });
    expect(send(2)).toEqual({ offset: 2 });
  });

  test("an older epoch is refused; a newer one begins at 0", () => {
    send(0, { producerEpoch: 1 });
    expect(send(2, { producerEpoch: 0 })).toEqual({ errorCode: ERROR.invalidProducerEpoch });
    expect(send(2, { producerEpoch: 2 })).toEqual({ errorCode: ERROR.outOfOrderSequence });
    expect(send(0, { producerEpoch: 2 })).toEqual({ offset: 2 });
    expect(send(2, { producerEpoch: 2 })).toEqual({ offset: 4 });
  });

  test("sequences wrap from the largest int32 to 0", () => {
    send(0x7ffffffe);
    expect(send(0)).toEqual({ offset: 2 });
  });

  test("producers do not disturb each other", () => {
    send(0);
    expect(send(0, { producerId: 8 })).toEqual({ offset: 2 });
  });

  test("of a thousand and one producers the one longest silent is forgotten", () => {
    for (let producerId = 0; producerId <= 1000; producerId += 1) send(0, { producerId });
    expect(send(0, { producerId: 1 })).toEqual({ offset: 2 });
    expect(send(0, { producerId: 0 })).toEqual({ offset: 2002 });
  });
});

describe("readRecordBatch()", () => {
  const damaged = batch();
  damaged.writeUInt8(damaged.readUInt8(65) ^ 1, 65);
  test.each([
    { name: "too short", bytes: Buffer.alloc(60), errorCode: ERROR.corruptMessage },
    { name: "a flipped bit", bytes: damaged, errorCode: ERROR.corruptMessage },
    { name: "an older format", bytes: batch({ magic: 1 }), errorCode: ERROR.invalidRecord },
    {
      name: "two batches",
      bytes: Buffer.concat([batch(), batch()]),
      errorCode: ERROR.invalidRecord,
    },
    { name: "no records", bytes: batch({ count: 0 }), errorCode: ERROR.invalidRecord },
    {
      name: "a batch of a transaction",
      bytes: batch({ attributes: 0x10 }),
      errorCode: ERROR.invalidRecord,
    },
    { name: "a control batch", bytes: batch({ attributes: 0x20 }), errorCode: ERROR.invalidRecord },
    {
      name: "more than the limit",
      bytes: batch({ body: Buffer.alloc(940) }),
      errorCode: ERROR.messageTooLarge,
    },
  ])("refuses $name", ({ bytes, errorCode }) => {
    expect(readRecordBatch(bytes, 1000)).toEqual({ errorCode });
  });

  test("takes any bytes without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readRecordBatch(Buffer.from(bytes), 1000)).toHaveProperty("errorCode");
      }),
    );
  });
});
