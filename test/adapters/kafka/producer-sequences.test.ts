import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeProduceRequest } from "../../../shared/adapters/kafka/produce-request.ts";
import {
  ProducerSequences,
  type RequestStamps,
} from "../../../shared/adapters/kafka/producer-sequences.ts";
import type { OutgoingRecord } from "../../../shared/model/kafka-record.ts";
import { encodeRecordBatch } from "../../../shared/wire/kafka-record-encoder.ts";
import { outgoing } from "../../support/kafka-ends.ts";

const batch = (count: number): OutgoingRecord[] =>
  Array.from({ length: count }, () => outgoing({ topic: "t" }));

function sent(sequences: ProducerSequences, records: readonly OutgoingRecord[], partition = 0) {
  const stamps = sequences.forRequest();
  const { epoch, sequence } = stamps.stamp("t", partition, records);
  return {
    stamp: [epoch, sequence],
    settle: (isWritten: boolean) => stamps.settle("t", partition, isWritten),
  };
}

describe("ProducerSequences [S-51, S-53]", () => {
  test("count the written records of each partition for itself", () => {
    const sequences = new ProducerSequences();
    sent(sequences, batch(3)).settle(true);
    sent(sequences, batch(2), 1).settle(true);
    expect(sent(sequences, batch(1)).stamp).toEqual([0, 3]);
    expect(sent(sequences, batch(1), 1).stamp).toEqual([0, 2]);
  });

  test("stamp the same records alike until they are settled, also in another array", () => {
    const sequences = new ProducerSequences();
    const records = batch(3);
    const first = sent(sequences, records);
    expect(sent(sequences, [...records]).stamp).toEqual(first.stamp);
    first.settle(true);
    expect(sent(sequences, records).stamp).toEqual([0, 3]);
  });

  test("begin an epoch when other records follow a batch whose end is not known", () => {
    const sequences = new ProducerSequences();
    sent(sequences, batch(3)).settle(true);
    sent(sequences, batch(3), 1).settle(true);
    const lost = sent(sequences, batch(3));
    expect(sent(sequences, batch(3)).stamp).toEqual([1, 0]);
    expect(sent(sequences, batch(1), 1).stamp, "of the other partition too").toEqual([1, 0]);
    lost.settle(true);
    expect(sent(sequences, batch(1)).stamp, "and what is heard of it late is nothing").toEqual([
      2, 0,
    ]);
  });

  test("give a sequence again when its batch is refused for good", () => {
    const sequences = new ProducerSequences();
    sent(sequences, batch(3)).settle(true);
    sent(sequences, batch(2)).settle(false);
    expect(sent(sequences, batch(5)).stamp).toEqual([0, 3]);
  });

  test("count on from 0 behind 2^31 - 1, as Kafka does", () => {
    const sequences = new ProducerSequences();
    const huge = { length: 2 ** 31 - 2 } as OutgoingRecord[];
    sent(sequences, huge).settle(true);
    const across = sent(sequences, batch(5));
    expect(across.stamp).toEqual([0, 2 ** 31 - 2]);
    across.settle(true);
    expect(sent(sequences, batch(1)).stamp).toEqual([0, 3]);
  });

  test.each([-1, 1] as const)("go over the wire with acks %d, whatever kafkajs is told", (acks) => {
    const sequences = new ProducerSequences(acks);
    const records = batch(2);
    const messages = [{ partition: 0, records, sequences, value: null }];
    const request = encodeProduceRequest(
      {
        ...{ acks: -1, timeout: 1, producerId: "7" },
        topicData: [{ topic: "t", partitions: [{ partition: 0, messages }] }],
      },
      1,
      sequences.forRequest(),
    );
    expect(request.readInt16BE(2)).toBe(acks);
    const batchAt = request.length - encodeRecordBatch(records, { now: 1, codec: 0 }).length;
    const stamp = [
      request.readBigInt64BE(batchAt + 43),
      request.readInt16BE(batchAt + 51),
      request.readInt32BE(batchAt + 53),
    ];
    expect(stamp).toEqual([7n, 0, 0]);
  });

  test("say when the last epoch is reached", () => {
    const sequences = new ProducerSequences(-1, 1);
    sent(sequences, batch(1));
    expect(sequences.isSpent).toBe(false);
    sent(sequences, batch(1));
    expect(sequences.isSpent).toBe(true);
  });
});

interface Sent {
  readonly epoch: number;
  readonly sequence: number;
  readonly numbers: readonly number[];
}

/** What a partition of Kafka does with the batches of one producer: it knows the epoch and the last five batches. */
class PartitionModel {
  readonly log: number[] = [];
  private last: Sent[] = [];

  append(batch: Sent): "written" | "refused" {
    const { epoch = -1 } = this.last.at(-1) ?? {};
    if (batch.epoch < epoch) return "refused";
    if (batch.epoch > epoch) {
      if (epoch !== -1 && batch.sequence !== 0) return "refused";
      this.last = [];
    } else {
      const twin = ({ sequence, numbers }: Sent): boolean =>
        sequence === batch.sequence && numbers.length === batch.numbers.length;
      if (this.last.some(twin)) return "written";
      if (batch.sequence !== this.next()) return "refused";
    }
    this.last = [...this.last, batch].slice(-5);
    this.log.push(...batch.numbers);
    return "written";
  }

  private next(): number {
    const last = this.last.at(-1);
    return last === undefined ? 0 : last.sequence + last.numbers.length;
  }
}

/** What happens to one attempt: its request or its answer is lost, or the request comes when `late` others have gone. */
const attempts = fc.record({
  fate: fc.constantFrom("ok", "ok", "request lost", "answer lost", "late"),
  late: fc.integer({ min: 1, max: 6 }),
  /** After a failure: the very same batch again (as kafkajs does), or one put together anew (as the engine does). */
  anew: fc.boolean(),
  size: fc.integer({ min: 1, max: 4 }),
});

describe("an idempotent producer before a partition that forgets nothing [S-51, S-53]", () => {
  test("loses nothing, and writes no old copy behind newer records, whatever is lost or late", () => {
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 60 }), (plan) => {
        const partition = new PartitionModel();
        const sequences = new ProducerSequences();
        const acknowledged = run(plan, partition, sequences);
        const lastAt = new Map(partition.log.map((number, at) => [number, at]));
        for (let n = 0; n < acknowledged; n += 1) {
          expect(lastAt.has(n), `${n} is acknowledged and lost`).toBe(true);
          if (n > 0) expect(lastAt.get(n)).toBeGreaterThan(lastAt.get(n - 1) as number);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Sends 0, 1, 2… in batches, one at a time, until the plan is at its end; returns how many are acknowledged. */
function run(
  plan: readonly { fate: string; late: number; anew: boolean; size: number }[],
  partition: PartitionModel,
  sequences: ProducerSequences,
): number {
  const records = Array.from({ length: 500 }, () => outgoing({ topic: "t" }));
  const underway: { at: number; batch: Sent }[] = [];
  let done = 0;
  let size = 1;
  for (const [at, { fate, late, anew, size: wanted }] of plan.entries()) {
    for (const { batch } of underway.filter((one) => one.at === at)) partition.append(batch);
    if (anew) size = wanted;
    const copies = anew
      ? records.slice(done, done + size).map((record) => ({ ...record }))
      : records.slice(done, done + size);
    const stamps: RequestStamps = sequences.forRequest();
    const { epoch, sequence } = stamps.stamp("t", 0, copies);
    const batch = { epoch, sequence, numbers: copies.map((_, i) => done + i) };
    if (fate === "late") underway.push({ at: at + late, batch });
    if (fate === "answer lost") partition.append(batch);
    if (fate !== "ok" || partition.append(batch) === "refused") continue;
    stamps.settle("t", 0, true);
    done += size;
    size = wanted;
  }
  for (const { batch } of underway.filter((one) => one.at >= plan.length)) partition.append(batch);
  return done;
}
