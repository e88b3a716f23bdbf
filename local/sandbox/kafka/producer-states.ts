import { ERROR } from "./error-codes.ts";
import type { RecordBatch } from "./record-batch.ts";

/** As many batches of a producer as may be in flight at once, by the protocol. */
const REMEMBERED_BATCHES = 5;
const REMEMBERED_PRODUCERS = 1000;
const LARGEST_SEQUENCE = 0x7fffffff;

interface Written {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly offset: number;
}

interface Producer {
  readonly epoch: number;
  readonly batches: readonly Written[];
}

/** What to do with a batch of an idempotent producer. */
export type Admission =
  | { readonly kind: "append" }
  /** It was written before, and its acknowledgement was lost. */
  | { readonly kind: "duplicate"; readonly offset: number }
  | { readonly kind: "refuse"; readonly errorCode: number };

/** Remembers the sequence numbers that idempotent producers wrote to one partition, so that what is sent twice is stored once. */
export class ProducerStates {
  private readonly producers = new Map<number, Producer>();

  admit(batch: RecordBatch): Admission {
    if (batch.producerId < 0) return { kind: "append" };
    const producer = this.producers.get(batch.producerId);
    // Kafka too takes any first sequence of a producer that it does not know, or no longer knows
    if (producer === undefined) return { kind: "append" };
    if (batch.producerEpoch < producer.epoch) {
      return { kind: "refuse", errorCode: ERROR.invalidProducerEpoch };
    }
    if (batch.producerEpoch > producer.epoch) return newEpoch(batch);
    const lastSequence = lastSequenceOf(batch);
    const before = producer.batches.find(
      (written) =>
        written.firstSequence === batch.baseSequence && written.lastSequence === lastSequence,
    );
    if (before !== undefined) return { kind: "duplicate", offset: before.offset };
    const latest = producer.batches.at(-1);
    if (latest === undefined || advanced(latest.lastSequence, 1) === batch.baseSequence) {
      return { kind: "append" };
    }
    return { kind: "refuse", errorCode: ERROR.outOfOrderSequence };
  }

  written(batch: RecordBatch, offset: number): void {
    if (batch.producerId < 0) return;
    const known = this.producers.get(batch.producerId);
    const earlier = known?.epoch === batch.producerEpoch ? known.batches : [];
    const written = {
      firstSequence: batch.baseSequence,
      lastSequence: lastSequenceOf(batch),
      offset,
    };
    this.producers.delete(batch.producerId);
    this.producers.set(batch.producerId, {
      epoch: batch.producerEpoch,
      batches: [...earlier, written].slice(-REMEMBERED_BATCHES),
    });
    if (this.producers.size <= REMEMBERED_PRODUCERS) return;
    for (const longestSilent of this.producers.keys()) {
      this.producers.delete(longestSilent);
      return;
    }
  }
}

function newEpoch(batch: RecordBatch): Admission {
  if (batch.baseSequence === 0) return { kind: "append" };
  return { kind: "refuse", errorCode: ERROR.outOfOrderSequence };
}

function lastSequenceOf(batch: RecordBatch): number {
  return advanced(batch.baseSequence, batch.count - 1);
}

/** Sequences wrap to 0 after the largest int32. */
function advanced(sequence: number, by: number): number {
  const sum = sequence + by;
  return sum > LARGEST_SEQUENCE ? sum - LARGEST_SEQUENCE - 1 : sum;
}
